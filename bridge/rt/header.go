package rt

// HeaderHash is the SHA-256 of archibald_rt.h, in hexadecimal. Go's build cache
// does not see the headers of another package: after a change of the header it
// would go on using audio shims compiled against the old one. Every shim
// imports this package and refers to this constant, so that a new value
// rebuilds it. A test holds the constant to the file.
const HeaderHash = "aa86dfe240d747770b6731a76cd1667e5b6a5d8504d005893e653e791b7069cb"
