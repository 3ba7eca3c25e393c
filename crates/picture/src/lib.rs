//! Pictures: bytes in, variants out.
