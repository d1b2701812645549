package rt

// HeaderHash is the SHA-256 of archibald_rt.h, in hexadecimal. Go's build cache
// does not see the headers of another package: after a change of the header it
// would go on using audio shims compiled against the old one. Every shim
// imports this package and refers to this constant, so that a new value
// rebuilds it. A test holds the constant to the file.
const HeaderHash = "f9176a65e23b57d70f4b2c16aa79647ff1cea9108ae8445a6c490f4b9c9a7c38"
