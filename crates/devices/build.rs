//! Turns the contract in `proto/` into Rust while building, without a `protoc` of the system.
#![expect(clippy::disallowed_methods, reason = "a build script learns from the environment where to write")]

use std::error::Error;
use std::path::PathBuf;

use prost::Message;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=../../proto");
    let set = protox::compile(["tyrian/v1/device.proto"], ["../../proto"])?;
    let folder = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    std::fs::write(folder.join("device.fds"), set.encode_to_vec())?;
    tonic_prost_build::configure().build_transport(false).compile_fds(set)?;
    Ok(())
}
