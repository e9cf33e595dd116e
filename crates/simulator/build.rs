//! Turns the contract in `proto/` into a phone's side of it while building, without a `protoc` of the system.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=../../proto");
    let set = protox::compile(["tyrian/v1/device.proto"], ["../../proto"])?;
    tonic_prost_build::configure().build_transport(false).build_server(false).compile_fds(set)?;
    Ok(())
}
