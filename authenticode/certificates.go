package authenticode

import (
	"encoding/asn1"
	"slices"
)

// plainCertificates returns SignedData without those of its certificates
// that are not X.509. CMS allows other kinds beside them, and the timestamps
// of Microsoft carry one (an attribute certificate, [1]) that crypto/x509
// cannot read. The set of certificates is not signed, and nothing that
// cannot be read can lead to an anchor.
func plainCertificates(der []byte) ([]byte, error) {
	var info struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}
	var data asn1.RawValue
	if err := unmarshalAll(der, &info); err != nil {
		return nil, err
	}
	if err := unmarshalAll(info.Content.Bytes, &data); err != nil {
		return nil, err
	}
	fields, err := children(data.Bytes)
	if err != nil {
		return nil, err
	}
	for i, f := range fields {
		if f.Class != asn1.ClassContextSpecific || f.Tag != 0 {
			continue
		}
		certs, err := children(f.Bytes)
		if err != nil {
			return nil, err
		}
		certs = slices.DeleteFunc(certs, func(c asn1.RawValue) bool { return c.Class != asn1.ClassUniversal })
		fields[i] = parent(f, certs)
	}
	data = parent(data, fields)
	info.Content = parent(info.Content, []asn1.RawValue{data})
	return asn1.Marshal(info)
}

// children splits the content of a constructed value.
func children(b []byte) (list []asn1.RawValue, err error) {
	for len(b) > 0 {
		var v asn1.RawValue
		if b, err = asn1.Unmarshal(b, &v); err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

// parent is v with other children; its header follows their length.
func parent(v asn1.RawValue, list []asn1.RawValue) asn1.RawValue {
	var content []byte
	for _, c := range list {
		content = append(content, c.FullBytes...)
	}
	v.Bytes, v.FullBytes = content, nil
	// A raw value with the class and tag that were read always encodes.
	v.FullBytes, _ = asn1.Marshal(v)
	return v
}
