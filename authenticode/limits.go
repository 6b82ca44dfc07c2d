package authenticode

// Limits bounds what a signature may cost to check. A field that is 0 takes
// its default, which no signature of Microsoft's comes near. What exceeds a
// limit gives an error that wraps waptwua.ErrLimit.
type Limits struct {
	Bytes        int64 // of the signature; 1 MiB (Microsoft's have 7 to 20 KB)
	Depth        int   // values in one another; 64 (with a timestamp and a second signature about 30)
	Values       int   // values of its DER; 50,000 (real ones have about a thousand)
	Certificates int   // that come along; 32
	Chain        int   // certificates from signer to anchor; 6
	KeyBits      int   // of an RSA key, whose use costs the square of its size; 16,384
}

func (l Limits) withDefaults() Limits {
	def(&l.Bytes, 1<<20)
	def(&l.Depth, 64)
	def(&l.Values, 50_000)
	def(&l.Certificates, 32)
	def(&l.Chain, 6)
	def(&l.KeyBits, 16_384)
	return l
}

func def[T int | int64](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}
