package rt

// HeaderHash is the SHA-256 of archibald_rt.h, in hexadecimal. Go's build cache
// does not see the headers of another package: after a change of the header it
// would go on using audio shims compiled against the old one. Every shim
// imports this package and refers to this constant, so that a new value
// rebuilds it. A test holds the constant to the file.
const HeaderHash = "dbda15bb737c651e0da616f8e241089c8295c4c9a08021289d37b2ed9fed1821"
