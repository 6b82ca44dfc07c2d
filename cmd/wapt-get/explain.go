package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"waptwua/wua"
)

func (a *app) explainCommand() *cobra.Command {
	var all bool
	var lang string
	c := &cobra.Command{
		Use:   "explain [CODE | NAME]…",
		Short: "Explain error codes of Windows Update: what happened and what to do",
		Long: `Explains codes of Windows Update, servicing (CBS, DISM), Windows Installer,
BITS, network and certificates: their name, what happened, and what to do.

A code is given as Windows writes it (0x80240017 or 80240017), as a number
(2359302; a negative one after --), as the exit code of wusa, dism or msiexec (3010), or
by name (WU_E_NOT_APPLICABLE). Nothing on this host is asked.`,
		Example: "  wapt-get explain 0x80240017\n  wapt-get explain -- -2145124329\n  wapt-get explain --all --json",
		RunE: func(_ *cobra.Command, args []string) error {
			if !all && len(args) == 0 {
				return usageError(errors.New("name a code, or use --all"))
			}
			codes := wua.Known()
			if !all {
				codes = nil
			}
			for _, arg := range args {
				code, err := parseCode(arg)
				if err != nil {
					return usageError(err)
				}
				codes = append(codes, code)
			}
			return a.explain(codes, lang)
		},
	}
	c.Flags().BoolVarP(&all, "all", "a", false, "every code that is known")
	c.Flags().StringVar(&lang, "lang", "en", "language: en or fr")
	return c
}

// explanation is the JSON form of a code and its meaning.
type explanation struct {
	Code     string `json:"code"`
	Name     string `json:"name,omitempty"`
	Sentence string `json:"sentence"`
	Remedy   string `json:"remedy,omitempty"`
}

func (a *app) explain(codes []wua.Code, lang string) error {
	language, ok := wua.ParseLanguage(lang)
	if !ok {
		return usageError(fmt.Errorf("language %q: want en or fr", lang))
	}
	list := make([]explanation, len(codes))
	for i, c := range codes {
		m := wua.LookupIn(language, c)
		list[i] = explanation{Code: c.String(), Name: m.Name, Sentence: m.Sentence, Remedy: m.Remedy}
	}
	return a.print(list, func(w io.Writer) error {
		for _, e := range list {
			fmt.Fprintln(w, strings.TrimSpace(e.Code+" "+e.Name))
			for _, text := range []string{e.Sentence, e.Remedy} {
				if text != "" {
					fmt.Fprintln(w, "  "+text)
				}
			}
		}
		return nil
	})
}

// exitCodeDigits is how long the exit code of an installer can be; longer
// numbers without a sign are read as hexadecimal or as a whole HRESULT.
const exitCodeDigits = 5

// parseCode reads a code in every form in which people meet one.
func parseCode(s string) (wua.Code, error) {
	s = strings.TrimSpace(s)
	if c, ok := wua.Named(s); ok {
		return c, nil
	}
	hex := strings.HasPrefix(strings.ToLower(s), "0x") || len(s) == 8 && !strings.HasPrefix(s, "-")
	n, err := strconv.ParseInt(s, 10, 64)
	if hex || err != nil || n < -1<<31 || n >= 1<<32 {
		c, err := wua.ParseCode(s)
		if err != nil {
			return 0, fmt.Errorf("%w, a number, or a name such as WU_E_NOT_APPLICABLE", err)
		}
		return c, nil
	}
	if n > 0 && len(s) <= exitCodeDigits && wua.Lookup(wua.Code(n)).Name == "" {
		return 0x80070000 | wua.Code(n&0xFFFF), nil // an exit code is an error of Windows
	}
	return wua.Code(uint32(n)), nil
}
