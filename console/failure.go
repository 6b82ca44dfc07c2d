package console

import (
	"waptwua"
	"waptwua/console/text"
	"waptwua/wua"
)

// inWords says a failure that a host reported, in English, in the language of
// the page.
func (f frame) inWords(e waptwua.Failure) waptwua.Failure {
	if f.Language() == text.French {
		return wua.FailureIn(wua.French, e)
	}
	return e
}
