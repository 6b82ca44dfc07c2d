// Package wsusscn2 reads Microsoft's offline scan archive, wsusscn2.cab,
// into revision records, in a stream and without interpreting them. What
// the rules mean is the business of the packages applicability and catalog;
// whether the archive is genuine that of authenticode: this package reads
// whatever it is given and trusts nothing in it.
//
// # Layouts
//
// The archive is a cabinet of cabinets. Two layouts are in use:
//
//	Sharded  index.xml, package.cab and shards package2.cab … packageN.cab.
//	         package.cab holds package.xml, the graph of all revisions. A
//	         shard holds the fragments of a range of RevisionIDs:
//	         c/REV  x/REV  l/LANG/REV  e/LANG/REV, and one of them
//	         (FILESDIR) the included files files/HH/SHA1.
//	Single   package.cab alone, which holds package.xml and the fragments
//	         under long names: core/REV  extended/REV  localized/LANG/REV
//	         eula/LANG/REV  files/HH/SHA1.
//
// The shard of a revision r is the last one of index.xml whose RANGESTART
// is at most r. Folder names of both layouts are understood in both.
//
// # Documents
//
// package.xml is one XML document of some 115 MB (July 2026). A fragment is
// a sequence of XML elements without a common root and without namespace
// declarations, whose prefixes (b. m. d.) are part of the names. Both may
// start with a byte order mark. Names are matched as written, so that a
// document without the OfflineSync namespace is read too; a namespace
// prefix is not resolved.
//
// The scanner behind all of them reads UTF-8 and knows elements,
// attributes, text, CDATA, comments, processing instructions, the five
// predefined entities and character references. It refuses document type
// declarations, and with them every entity that expands. Elements and
// attributes that are not known are skipped.
//
// GUIDs are handed out as bytes, or as text in lower case; the archive mixes
// cases. Revision
// numbers (RevisionNumber) and the archive's own keys (RevisionID) are
// different things; a RevisionID is not chronological.
//
// # Passes and memory
//
// A cabinet can only be decoded from the start of a folder. Every method of
// Archive therefore makes one pass over the outer cabinet, decodes each
// inner cabinet that it needs once and folder by folder, and stops as soon
// as it has what it was asked for. One inner cabinet is held at a time: in
// memory up to Limits.MemoryBytes, beyond in the Spool that the caller
// gives. Shards hands the inner cabinets out one by one, so that a caller
// can work on several at the same time.
//
// # Limits
//
// Every count, length, depth and size is bounded by Limits. An input that
// exceeds one gives an error that wraps waptwua.ErrLimit, an input that is
// not such an archive one that wraps ErrFormat; both name the path inside
// the archive and, in a document, the offset.
//
// # Sources
//
// The layouts and documents are those of real archives of 2011 and 2026; the
// fragments are described in [MS-WUSP] 3.1.1.1. What is not known of the
// format is listed in docs/formats/wsusscn2.md. Not supported: index.xml with
// VERSION other than 1 or XOR other than 0 (never seen), UTF-16 documents.
package wsusscn2
