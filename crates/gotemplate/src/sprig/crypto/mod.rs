//! Passwords, ciphers, keys and certificates. Source: sprig `crypto.go`.

mod certificate;
mod cipher;
mod der;
mod key;
mod password;
mod pem;

use std::convert::Infallible;

use super::Row;
use crate::environment::Environment;

pub(super) fn functions() -> Vec<Row> {
    let mut table = password::functions();
    table.extend(cipher::functions());
    table.extend(key::functions());
    table.extend(certificate::functions());
    table
}

/// The environment's chance in the form that the key generators ask for.
struct Random<'a>(&'a dyn Environment);

impl rsa::rand_core::TryRng for Random<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill_random(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill_random(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill_random(bytes);
        Ok(())
    }
}

impl rsa::rand_core::TryCryptoRng for Random<'_> {}

// The traits of the version that `dsa` knows.
impl dsa::signature::rand_core::RngCore for Random<'_> {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.0.fill_random(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill_random(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill_random(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), dsa::signature::rand_core::Error> {
        self.0.fill_random(bytes);
        Ok(())
    }
}

impl dsa::signature::rand_core::CryptoRng for Random<'_> {}
