package waptwua

import "time"

// Archive describes a scan archive (wsusscn2.cab) that was verified and
// published.
type Archive struct {
	SHA256    SHA256    `json:"sha256,omitzero"` // zero, as all others: there is none yet
	SHA1      SHA1      `json:"sha1,omitzero"`
	Size      int64     `json:"size,omitzero"` // bytes
	PackageID string    `json:"package_id,omitempty"`
	Created   time.Time `json:"created,omitzero"`   // CreationDate inside the archive
	Modified  time.Time `json:"modified,omitzero"`  // Last-Modified of the origin, or zero
	Published time.Time `json:"published,omitzero"` // when it became the one that hosts get
	Signer    string    `json:"signer,omitempty"`   // common name of the signing certificate
	Signed    time.Time `json:"signed,omitzero"`    // the timestamp of the signature
}
