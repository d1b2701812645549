package rt

// HeaderHash is the SHA-256 of archibald_rt.h, in hexadecimal. Go's build cache
// does not see the headers of another package: after a change of the header it
// would go on using audio shims compiled against the old one. Every shim
// imports this package and refers to this constant, so that a new value
// rebuilds it. A test holds the constant to the file.
const HeaderHash = "b9bc8beffbe54d58cb9b45d4bebef9ceef72b92c244596bd00d9b994bbd00a07"
