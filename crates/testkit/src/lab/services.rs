//! The servers of the lab that are not web servers.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use nix::sys::signal::Signal;

use super::Lab;
use super::nginx::write;
use crate::free_port;
use crate::process::{Process, Recipe, is_root, program};

/// memcached without authentication.
pub(super) fn memcached(lab: &mut Lab) -> u16 {
    let address = SocketAddr::new(lab.address, free_port(lab.address));
    let line = vec![
        program("memcached"),
        format!("--listen={}", address.ip()),
        format!("--port={}", address.port()),
        "--udp-port=0".to_owned(),
        "--memory-limit=16".to_owned(),
        "--threads=1".to_owned(),
        // Ignored unless it starts as root.
        "--user=nobody".to_owned(),
    ];
    lab.processes.push(Process::start(Recipe {
        name: "memcached",
        line,
        environment: Vec::new(),
        folder: lab.folder.path().to_path_buf(),
        user: None,
        stop: Signal::SIGTERM,
        ready: Box::new(move || TcpStream::connect(address).is_ok()),
    }));
    lab.memcached = Some(address.port());
    address.port()
}

/// FTP that lets anybody read.
pub(super) fn anonymous_ftp(lab: &mut Lab) -> u16 {
    let address = SocketAddr::new(lab.address, free_port(lab.address));
    let folder = lab.folder.path().to_path_buf();
    write(&folder.join("ftp/README.txt"), "internal drop box\n");
    let empty = folder.join("empty");
    std::fs::create_dir_all(&empty).expect("a folder");
    let as_user = if is_root() { "" } else { "run_as_launching_user=YES\n" };
    let configuration = folder.join("vsftpd.conf");
    let text = format!(
        "listen=YES
listen_ipv6=NO
listen_address={}
listen_port={}
background=NO
anonymous_enable=YES
local_enable=NO
write_enable=NO
no_anon_password=YES
anon_root={}
ftp_username=ftp
nopriv_user=nobody
secure_chroot_dir={}
seccomp_sandbox=NO
xferlog_enable=NO
ftpd_banner=ProFTPD 1.3.5 Server (internal drop box)
{as_user}",
        address.ip(),
        address.port(),
        folder.join("ftp").display(),
        empty.display(),
    );
    write(&configuration, &text);
    lab.processes.push(Process::start(Recipe {
        name: "vsftpd",
        line: vec![program("vsftpd"), configuration.to_string_lossy().into_owned()],
        environment: Vec::new(),
        folder,
        user: None,
        stop: Signal::SIGTERM,
        ready: Box::new(move || greets(address, "220")),
    }));
    lab.ftp = Some(address.port());
    address.port()
}

fn greets(address: SocketAddr, start: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else {
        return false;
    };
    let mut greeting = [0; 3];
    stream.set_read_timeout(Some(Duration::from_secs(2))).is_ok()
        && stream.read_exact(&mut greeting).is_ok()
        && greeting == start.as_bytes()
}
