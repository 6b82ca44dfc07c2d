package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"waptwua/server"
	"waptwua/transport"
)

// ruleRoutes are signed rule packages.
func (a *Administration) ruleRoutes() {
	operation(a, Route{Method: "GET", Path: "/api/v1/rules", Role: server.Viewer}, "list-rules", "List the rule packages in force", a.rules)
	operation(a, Route{Method: "POST", Path: "/api/v1/rules", Role: server.Administrator}, "upload-rules", "Upload a signed rule package (a DSSE envelope)", a.uploadRules, created, largeBody)
	operation(a, Route{Method: "DELETE", Path: "/api/v1/rules/{name}", Role: server.Administrator}, "remove-rules", "Take a rule package out of force", a.removeRules)
}

// largeBody takes an envelope as it comes: its schema would be that of a
// base64 string, and what it holds the service checks.
func largeBody(op *huma.Operation) {
	op.MaxBodyBytes = transport.MaxRules / 4
	op.SkipValidateBody = true
}

func (a *Administration) rules(ctx context.Context, _ *struct{}) (*body[[]server.RuleView], error) {
	return reply(a.srv.Rules.List(ctx))
}

// uploadInput takes the envelope as bytes: it is kept exactly as it came.
type uploadInput struct {
	RawBody []byte `contentType:"application/json"`
}

func (a *Administration) uploadRules(ctx context.Context, in *uploadInput) (*body[server.RuleView], error) {
	return reply(a.srv.Rules.Upload(ctx, in.RawBody))
}

type ruleInput struct {
	Name string `path:"name" maxLength:"128"`
}

func (a *Administration) removeRules(ctx context.Context, in *ruleInput) (*none, error) {
	return done(a.srv.Rules.Remove(ctx, in.Name))
}
