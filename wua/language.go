package wua

import (
	_ "embed" // french.txt
	"regexp"
	"strings"
	"sync"

	"waptwua"
)

// Language is a language in which codes are explained.
type Language int

// The languages.
const (
	English Language = iota
	French
)

// ParseLanguage reads the language of a BCP 47 tag, such as fr or fr-CA.
func ParseLanguage(tag string) (Language, bool) {
	primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
	switch primary {
	case "en":
		return English, true
	case "fr":
		return French, true
	}
	return English, false
}

// LookupIn explains a code in a language. Names are Microsoft's in all of them.
func LookupIn(l Language, c Code) Meaning {
	m := Lookup(c)
	m.Sentence, m.Remedy = translate(l, m.Sentence), translate(l, m.Remedy)
	return m
}

// FailureIn says a failure in a language, sentence by sentence, as far as
// the words are known; those of Windows and of servers stay as they are.
func FailureIn(l Language, f waptwua.Failure) waptwua.Failure {
	f.Sentence, f.Remedy = translate(l, f.Sentence), translate(l, f.Remedy)
	return f
}

//go:embed french.txt
var frenchText string

// frenchSentences indexes french.txt by the English sentence.
var frenchSentences = sync.OnceValue(func() map[string]string { return readPairs(frenchText) })

// readPairs reads pairs of lines: a sentence and its translation. Empty lines
// and those that begin with # are passed over.
func readPairs(text string) map[string]string {
	pairs := map[string]string{}
	english := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case english == "":
			english = line
		default:
			pairs[english], english = line, ""
		}
	}
	return pairs
}

// sentenceEnd separates the sentences of a text. No path or name in the
// tables has a period before a space.
const sentenceEnd = ". "

func translate(l Language, text string) string {
	if l != French || text == "" {
		return text
	}
	head, raw, quoted := strings.Cut(text, saidByWindows)
	sentences := strings.SplitAfter(head, sentenceEnd)
	for i, s := range sentences {
		sentences[i] = inFrench(strings.TrimSuffix(s, " "))
	}
	head = strings.Join(sentences, " ")
	if quoted {
		head += " Windows dit\u00a0: " + raw
	}
	return head
}

// inFrench translates one sentence; one that is not known stays English.
func inFrench(s string) string {
	if t, ok := frenchSentences()[s]; ok {
		return t
	}
	for _, p := range numbered() {
		if m := p.english.FindStringSubmatch(s); m != nil {
			return strings.ReplaceAll(p.french, "N", m[1])
		}
	}
	return s
}

// withNumber is a sentence with a number in it, N in the translation.
type withNumber struct {
	english *regexp.Regexp
	french  string
}

// numbered are the sentences about system errors that no table names.
var numbered = sync.OnceValue(func() []withNumber {
	return []withNumber{
		{regexp.MustCompile(`^Windows reports the system error (\d+)\.$`), "Windows signale l’erreur système N."},
		{regexp.MustCompile(`^Run "net helpmsg (\d+)" on the host for its text\.$`), "Exécutez «\u00a0net helpmsg N\u00a0» sur la machine pour en lire le texte."},
	}
})
