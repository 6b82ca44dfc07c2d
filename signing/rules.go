package signing

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// maxName bounds the name of a rule package, in bytes.
const maxName = 128

// RulesStatement is the document of TypeRules: one version of one rule
// package. A receiver that holds a version refuses a lower one.
type RulesStatement struct {
	Name    string          `json:"name"`    // the rule package, for example "waptwua-rules-servers"
	Version int             `json:"version"` // from 1, rising
	Created time.Time       `json:"created"`
	Rules   json.RawMessage `json:"rules"` // the JSON object of waptwua_rules.json
}

// Encode writes the statement, after checking it.
func (s RulesStatement) Encode() ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encoding rules %q: %w", s.Name, err)
	}
	return b, nil
}

// ParseRulesStatement reads a verified payload of TypeRules. Members it does
// not know are an error: a restriction that an older program cannot see must
// not be passed over.
func ParseRulesStatement(payload []byte) (RulesStatement, error) {
	var s RulesStatement
	d := json.NewDecoder(bytes.NewReader(payload))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return s, fmt.Errorf("reading a rules statement: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return s, errors.New("reading a rules statement: more text after its end")
	}
	return s, s.check()
}

func (s RulesStatement) check() error {
	switch {
	case s.Name == "" || len(s.Name) > maxName:
		return fmt.Errorf("rules statement: name of %d bytes; want 1 to %d", len(s.Name), maxName)
	case s.Version < 1:
		return fmt.Errorf("rules %q: version %d; versions start at 1", s.Name, s.Version)
	case s.Created.IsZero():
		return fmt.Errorf("rules %q: the time of creation is missing", s.Name)
	case !bytes.HasPrefix(bytes.TrimSpace(s.Rules), []byte("{")) || !json.Valid(s.Rules):
		return fmt.Errorf("rules %q: the rules are not a JSON object", s.Name)
	}
	return nil
}
