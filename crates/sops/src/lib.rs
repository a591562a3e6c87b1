//! Decrypts and encrypts SOPS files.
