package native_test

import (
	"encoding/json"

	"waptwua"
)

// records keep a record in memory, as JSON.
type records struct{ text []byte }

func (r *records) Load(v any) error {
	if r.text == nil {
		return waptwua.ErrNotFound
	}
	return json.Unmarshal(r.text, v)
}

func (r *records) Save(v any) (err error) {
	r.text, err = json.Marshal(v)
	return err
}
