package bundle

import (
	"cmp"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Mark stands where something was taken out.
const Mark = "(left out)"

// minSecret is the shortest value that is looked for in other texts.
const minSecret = 4

// Scrubber takes secrets out of texts.
type Scrubber struct {
	replace *strings.Replacer
	key     *regexp.Regexp // over several lines
	shapes  []shape
}

// shape is what a secret looks like within a line. Only lines that hold one
// of the words, in lower case, are searched: logs are large.
type shape struct {
	words []string
	*regexp.Regexp
	with string
}

// NewScrubber makes a scrubber for an agent with this settings file, of which
// nothing is assumed but lines of names and values.
func NewScrubber(settings string) *Scrubber {
	secrets := map[string]bool{}
	for line := range strings.Lines(settings) {
		i := strings.IndexAny(line, "=:")
		if i < 0 {
			continue
		}
		name, value := line[:i], strings.TrimSpace(line[i+1:])
		if Secret(name) {
			secrets[value] = true
			secrets[strings.Trim(value, `"'`)] = true
		}
		for _, user := range userOf(value) {
			secrets[user] = true
		}
	}
	return &Scrubber{
		replace: replacer(secrets),
		key:     regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)`),
		shapes: []shape{
			{[]string{"://"}, regexp.MustCompile(`(://)[^/@\s"'\\]+@`), "${1}" + Mark + "@"},
			{[]string{"bearer", "basic", "negotiate", "ntlm"}, regexp.MustCompile(`(?i)((?:bearer|basic|negotiate|ntlm)\s+)[A-Za-z0-9+/=._~-]{6,}`), "${1}" + Mark},
			{[]string{"token", "passw", "passphrase", "secret"}, regexp.MustCompile(`(?i)((?:token|passw(?:or)?d|passphrase|secret)["']?\s*[=:]\s*["']?)[^\s"',;&]+`), "${1}" + Mark},
		},
	}
}

// Secret reports whether an option's name speaks of a secret.
func Secret(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{"token", "passw", "passphrase", "secret", "private", "_key", "credential", "pwd"}, func(s string) bool { return strings.Contains(name, s) })
}

// userOf finds the user parts of addresses in a value: NAME, PASSWORD, and
// both together, as written and decoded.
func userOf(value string) []string {
	var list []string
	for rest := value; ; {
		_, after, ok := strings.Cut(rest, "://")
		if !ok {
			return list
		}
		rest = after
		host, _, _ := strings.Cut(after, "/")
		at := strings.LastIndex(host, "@")
		if at < 0 {
			continue
		}
		user := host[:at]
		list = append(list, user)
		if _, password, ok := strings.Cut(user, ":"); ok {
			list = append(list, password)
			if plain, err := url.PathUnescape(password); err == nil {
				list = append(list, plain)
			}
		}
	}
}

// replacer replaces secrets, also as JSON writes them; longer ones first, so
// that a secret that is part of another leaves no rest.
func replacer(secrets map[string]bool) *strings.Replacer {
	forms := map[string]bool{}
	for s := range secrets {
		if len(s) < minSecret {
			continue
		}
		forms[s] = true
		if b, err := json.Marshal(s); err == nil {
			forms[strings.Trim(string(b), `"`)] = true
		}
		forms[url.QueryEscape(s)] = true
	}
	list := make([]string, 0, len(forms))
	for s := range forms {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	pairs := make([]string, 0, 2*len(list))
	for _, s := range list {
		pairs = append(pairs, s, Mark)
	}
	return strings.NewReplacer(pairs...)
}

// Text returns the text without secrets.
func (s *Scrubber) Text(text string) string {
	text = s.replace.Replace(text)
	if strings.Contains(text, "PRIVATE KEY-----") {
		text = s.key.ReplaceAllString(text, Mark)
	}
	var out strings.Builder
	out.Grow(len(text))
	for line := range strings.Lines(text) {
		out.WriteString(s.line(line))
	}
	return out.String()
}

func (s *Scrubber) line(line string) string {
	lower := strings.ToLower(line)
	for _, shape := range s.shapes {
		if slices.ContainsFunc(shape.words, func(w string) bool { return strings.Contains(lower, w) }) {
			line = shape.ReplaceAllString(line, shape.with)
		}
	}
	return line
}
