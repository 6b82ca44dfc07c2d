package applicability

import "bytes"

const (
	manifestOpen  = "<CbsPackageApplicabilityMetadata>"
	manifestClose = "</CbsPackageApplicabilityMetadata>"
)

// Reduce returns rules that mean the same, without the manifest of a
// component package that may follow them: of its up to forty megabytes the
// operators ask for the first identity only. Everything else stays as it is,
// and so do rules in which the manifest is not where it always is. The result
// may be a part of rules.
func Reduce(rules []byte) []byte {
	end := bytes.LastIndex(rules, []byte(manifestClose))
	if end < 0 {
		return rules
	}
	open, identity := manifestStart(rules[:end])
	if identity == nil {
		return rules
	}
	return reduced(rules, open, end, identity)
}

// ReduceAbridged is Reduce for rules out of which bytes were left at the
// position cut. ok tells whether these were bytes that Reduce removes, so
// that the result is that of the complete rules.
func ReduceAbridged(rules []byte, cut int) (out []byte, ok bool) {
	end := bytes.LastIndex(rules[cut:], []byte(manifestClose))
	open, identity := manifestStart(rules[:cut])
	if end < 0 || identity == nil {
		return nil, false
	}
	return reduced(rules, open, cut+end, identity), true
}

// EntersManifest tells whether head, the first bytes of a core fragment or of
// its rules, ends within the part of a manifest that Reduce removes, unless
// the manifest ends there, too.
func EntersManifest(head []byte) bool {
	_, identity := manifestStart(head)
	return identity != nil
}

// manifestStart finds the start of the manifest and its first identity; nil
// when there is none, or not where it always is.
func manifestStart(rules []byte) (open int, identity []byte) {
	open = bytes.Index(rules, []byte(manifestOpen[:len(manifestOpen)-1]))
	if open < 0 || !followsMetadata(rules[:open]) {
		return 0, nil
	}
	return open, firstIdentity(rules[open:])
}

// reduced leaves out what the manifest that begins at open and ends at end
// holds beside the identity.
func reduced(rules []byte, open, end int, identity []byte) []byte {
	out := make([]byte, 0, open+len(manifestOpen)+len(identity)+len(rules)-end+len("</assemblyIdentity>"))
	out = append(append(append(out, rules[:open]...), manifestOpen...), identity...)
	if !bytes.HasSuffix(identity, []byte("/>")) {
		out = append(out, "</assemblyIdentity>"...)
	}
	return append(out, rules[end:]...)
}

// followsMetadata tells whether before ends with the start of the section
// Metadata, so that what follows is what Parse takes for a manifest.
func followsMetadata(before []byte) bool {
	before = bytes.TrimRight(before, " \t\r\n")
	return bytes.HasSuffix(before, []byte("<Metadata>"))
}

// firstIdentity is the start tag of the first assemblyIdentity; nil when
// there is none, or anything before it that is no plain tag or text.
func firstIdentity(manifest []byte) []byte {
	const name = "<assemblyIdentity"
	from := bytes.Index(manifest, []byte(name))
	if from < 0 || bytes.Contains(manifest[:from], []byte("<!")) {
		return nil
	}
	tag := manifest[from:]
	if c := tag[min(len(name), len(tag)-1)]; c != ' ' && c != '/' && c != '>' && c != '\t' && c != '\r' && c != '\n' {
		return nil // another element, whose name begins so
	}
	quote := byte(0)
	for i, c := range tag {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return tag[:i+1]
		}
	}
	return nil
}
