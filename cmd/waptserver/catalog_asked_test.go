package main

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"waptwua/applicability"
)

// TestAskedIsPrintedWhole: every list of questions is in the text, too.
func TestAskedIsPrintedWhole(t *testing.T) {
	var a applicability.Asked
	v := reflect.ValueOf(&a).Elem()
	var want []string
	for i := range v.NumField() {
		item := fmt.Sprint(1000 + i)
		want = append(want, item)
		switch list := v.Field(i).Addr().Interface().(type) {
		case *[]string:
			*list = []string{item}
		case *[]int:
			*list = []int{1000 + i}
		default:
			t.Fatalf("%s is no list of texts or numbers", v.Type().Field(i).Name)
		}
	}
	var out strings.Builder
	if err := printAsked(&out, a); err != nil {
		t.Fatal(err)
	}
	for i, item := range want {
		if !strings.Contains(out.String(), " "+item+"\n") {
			t.Errorf("%s is not printed:\n%s", v.Type().Field(i).Name, out.String())
		}
	}
}
