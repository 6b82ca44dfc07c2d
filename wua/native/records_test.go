package native_test

import (
	"encoding/json"
	"errors"

	"waptwua"
)

var errKilled = errors.New("killed")

// records keep a record in memory, as JSON.
type records struct {
	text []byte
	dead bool // nothing is saved any more: the program was killed
}

func (r *records) Load(v any) error {
	if r.text == nil {
		return waptwua.ErrNotFound
	}
	return json.Unmarshal(r.text, v)
}

func (r *records) Save(v any) (err error) {
	if r.dead {
		return errKilled
	}
	r.text, err = json.Marshal(v)
	return err
}
