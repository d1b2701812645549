package rt

// HeaderHash is the SHA-256 of archibald_rt.h, in hexadecimal. Go's build cache
// does not see the headers of another package: after a change of the header it
// would go on using audio shims compiled against the old one. Every shim
// imports this package and refers to this constant, so that a new value
// rebuilds it. A test holds the constant to the file.
const HeaderHash = "0219a0d7af299db4ee0141caa2dd81d7fbe715525aee369d0027d26852b11b25"
