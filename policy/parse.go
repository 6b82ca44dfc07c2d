package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"waptwua"
	"waptwua/schedule"
)

// The limits of a rule file.
const (
	maxFile    = 8 << 20 // bytes
	maxEntries = 100_000 // in one list
	maxText    = 256     // bytes of one entry
)

// ParseRules reads a waptwua_rules.json; name is the rule package's, for
// errors and for the origin of verdicts. Limits that are exceeded give an
// error that wraps waptwua.ErrLimit.
func ParseRules(name string, file []byte) (*Rules, error) {
	r := &Rules{Name: name}
	if err := readObject(file, r.field); err != nil {
		return nil, fmt.Errorf("rules %q: %w", name, err)
	}
	return r, nil
}

// readObject reads one JSON object and gives each of its keys once to field.
func readObject(b []byte, field func(key string, value json.RawMessage) error) error {
	if len(b) > maxFile {
		return fmt.Errorf("%d bytes: %w of %d", len(b), waptwua.ErrLimit, maxFile)
	}
	dec := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(b, []byte("\ufeff"))))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return errors.Join(errors.New("want a JSON object, {…}"), err)
	}
	seen := map[string]bool{}
	for dec.More() {
		key, value, err := readMember(dec)
		if err != nil {
			return err
		}
		if seen[key] {
			return fmt.Errorf("%s: the key stands twice", key)
		}
		seen[key] = true
		if err := field(key, value); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return readEnd(dec)
}

func readMember(dec *json.Decoder) (key string, value json.RawMessage, err error) {
	t, err := dec.Token()
	if err != nil {
		return "", nil, err
	}
	key, _ = t.(string) // the decoder accepts nothing else here
	if err := dec.Decode(&value); err != nil {
		return "", nil, fmt.Errorf("%s: %w", key, err)
	}
	return key, value, nil
}

func readEnd(dec *json.Decoder) error {
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("end of the object: %w", err)
	}
	if dec.More() {
		return errors.New("something follows the JSON object")
	}
	return nil
}

func (r *Rules) field(key string, value json.RawMessage) (err error) {
	if list, ok := strings.CutPrefix(key, "allowed_"); ok {
		return r.Allowed.field(list, value)
	}
	if list, ok := strings.CutPrefix(key, "forbidden_"); ok {
		return r.Forbidden.field(list, value)
	}
	switch key {
	case "default_allow":
		r.DefaultAllow, err = readBool(value)
	case "include_potentially_superseded_updates":
		r.IncludePotentiallySuperseded, err = readBool(value)
	case "install_delay":
		r.InstallDelay, err = readDelay(value)
	case "clauses":
		r.Clauses, err = readClauses(value)
	default:
		err = errUnknownKey
	}
	return err
}

var errUnknownKey = errors.New("unknown key; the documentation of waptwua_rules.json lists the keys")

func (l *Lists) field(name string, value json.RawMessage) (err error) {
	switch name {
	case "updates":
		l.Updates, err = readList(value, ParseRevision)
	case "kbs":
		l.KBs, err = readList(value, waptwua.ParseKB)
	case "products":
		l.Products, err = readList(value, parseName)
	case "classifications":
		l.Classifications, err = readList(value, parseName)
	case "severities":
		l.Severities, err = readList(value, ParseSeverity)
	default:
		err = errUnknownKey
	}
	return err
}

func (c *Clause) field(name string, value json.RawMessage) (err error) {
	switch name {
	case "kbs":
		c.KBs, err = readList(value, waptwua.ParseKB)
	case "products":
		c.Products, err = readList(value, parseName)
	case "classifications":
		c.Classifications, err = readList(value, parseName)
	case "severities":
		c.Severities, err = readList(value, ParseSeverity)
	default:
		err = errUnknownKey
	}
	return err
}

func readClauses(value json.RawMessage) ([]Clause, error) {
	var raw []json.RawMessage
	if err := unmarshal(value, &raw); err != nil {
		return nil, fmt.Errorf("want a list of objects: %w", err)
	}
	if len(raw) > maxEntries {
		return nil, fmt.Errorf("%d clauses: %w of %d", len(raw), waptwua.ErrLimit, maxEntries)
	}
	clauses := make([]Clause, len(raw))
	for i, b := range raw {
		if err := clauses[i].read(b); err != nil {
			return nil, fmt.Errorf("clause %d: %w", i+1, err)
		}
	}
	return clauses, nil
}

func (c *Clause) read(b []byte) error {
	var allow *bool
	err := readObject(b, func(key string, value json.RawMessage) (err error) {
		if key == "allow" {
			allow, err = readBool(value)
			return err
		}
		if strings.Join(strings.Fields(string(value)), "") == "[]" {
			return errors.New("the list is empty; leave the key out where it does not matter")
		}
		return c.field(key, value)
	})
	if err != nil {
		return err
	}
	if allow == nil {
		return errors.New(`"allow" is missing; want true or false`)
	}
	c.Allow = *allow
	if len(c.Products)+len(c.Classifications)+len(c.Severities)+len(c.KBs) == 0 {
		return errors.New("no products, classifications, severities or kbs; default_allow speaks about every update")
	}
	return nil
}

// readList reads a list of texts.
func readList[T any](value json.RawMessage, parse func(string) (T, error)) ([]T, error) {
	var texts []*string
	if err := unmarshal(value, &texts); err != nil {
		return nil, fmt.Errorf("want a list of texts: %w", err)
	}
	if len(texts) > maxEntries {
		return nil, fmt.Errorf("%d entries: %w of %d", len(texts), waptwua.ErrLimit, maxEntries)
	}
	list := make([]T, 0, len(texts))
	for i, s := range texts {
		if s == nil {
			return nil, fmt.Errorf("entry %d: want a text, not null", i+1)
		}
		v, err := parse(*s)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", i+1, err)
		}
		list = append(list, v)
	}
	return list, nil
}

func readBool(value json.RawMessage) (*bool, error) {
	b := new(bool)
	if err := unmarshal(value, b); err != nil {
		return nil, errors.New("want true or false")
	}
	return b, nil
}

func readDelay(value json.RawMessage) (*time.Duration, error) {
	var s string
	if err := unmarshal(value, &s); err != nil {
		return nil, errors.New(`want a text such as "7d"`)
	}
	d, err := schedule.ParseDuration(s, schedule.Day)
	if err != nil {
		return nil, err
	}
	return &d, nil
}

// unmarshal is json.Unmarshal that takes null for the wrong type it is.
func unmarshal(value json.RawMessage, v any) error {
	if string(value) == "null" {
		return errors.New("null says nothing")
	}
	return json.Unmarshal(value, v)
}

// ParseRevision reads "GUID_REVISION", or "GUID" for every revision.
func ParseRevision(s string) (Revision, error) {
	if !strings.Contains(s, "_") {
		guid, err := waptwua.NormalizeGUID(s)
		return Revision{ID: waptwua.UpdateID{GUID: guid}, All: true}, err
	}
	id, err := waptwua.ParseUpdateID(s)
	return Revision{ID: id}, err
}

// ParseSeverity reads one of Microsoft's ratings, or None or Other (the word
// of WAPT's editor) for updates that are not rated.
func ParseSeverity(s string) (waptwua.Severity, error) {
	switch t := strings.ToLower(strings.TrimSpace(s)); t {
	case "critical", "important", "moderate", "low":
		return waptwua.Severity(strings.ToUpper(t[:1]) + t[1:]), nil
	case "none", "other":
		return waptwua.Unrated, nil
	}
	return "", fmt.Errorf("severity %q: want Critical, Important, Moderate, Low, or None for updates that are not rated", s)
}

// ParseCategory reads the name or the GUID of a product or classification.
func ParseCategory(s string) (string, error) { return parseName(s) }

func parseName(s string) (string, error) {
	t := strings.TrimSpace(s)
	if t == "" {
		return "", errors.New("the name is empty")
	}
	if len(t) > maxText {
		return "", fmt.Errorf("name of %d bytes: %w of %d", len(t), waptwua.ErrLimit, maxText)
	}
	if guid, err := waptwua.NormalizeGUID(t); err == nil {
		return guid, nil
	}
	return t, nil
}
