package world

import (
	"math/rand/v2"
	"strings"
	"sync"
	"unicode/utf8"
)

// scripts are the letters of languages that are not written in Latin ones:
// the first rune and how many follow it. Latin is the default.
var scripts = map[string][2]rune{
	"ru": {'а', 32}, "uk": {'а', 32}, "bg": {'а', 32},
	"el": {'α', 24}, "he": {'א', 26}, "ar": {'ب', 19}, "th": {'ก', 40}, "hi": {'क', 37},
	"ja": {'ぁ', 80}, "ko": {'가', 600}, "zh-cn": {'一', 900}, "zh-tw": {'一', 900}, "zh-hk": {'一', 900},
}

const latin = "etaoinsrhldcumfpgwybvkäöüéèçñ"

// vocabulary is a set of words as often and as long as those of the texts
// that accompany updates, in letters of the language. They mean nothing.
func vocabulary(lang string) []string {
	seed := uint64(0)
	for _, c := range lang {
		seed = seed<<8 | uint64(c)
	}
	r := rand.New(rand.NewPCG(seed, 0x776f7264))
	words := make([]string, 400)
	for i := range words {
		var b strings.Builder
		for range 1 + r.IntN(8) {
			b.WriteRune(letter(r, lang))
		}
		words[i] = b.String()
	}
	return words
}

// letter draws a letter, the first ones more often than the last.
func letter(r *rand.Rand, lang string) rune {
	if s, ok := scripts[lang]; ok {
		return s[0] + rune(r.IntN(1+r.IntN(int(s[1]))))
	}
	at := r.IntN(1 + r.IntN(len(latin)))
	for !utf8.RuneStart(latin[at]) {
		at--
	}
	c, _ := utf8.DecodeRuneInString(latin[at:])
	return c
}

// vocabularies has one for each language but the first, whose texts are
// English.
var vocabularies = sync.OnceValue(func() map[string][]string {
	all := map[string][]string{}
	for _, lang := range languages[1:] {
		all[lang] = vocabulary(lang)
	}
	return all
})

// sentence is n words of a language other than English that follow from seed.
func sentence(lang string, seed uint64, n int) string {
	words, space := vocabularies()[lang], " "
	if scripts[lang][0] > '\u3000' {
		space = "\u3000"
	}
	r := rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(space)
		}
		b.WriteString(words[r.IntN(1+r.IntN(len(words)))])
	}
	b.WriteByte('.')
	return b.String()
}
