//! Blobs: whole or absent, and never outside their folder.

use std::os::unix::fs::PermissionsExt;

use backends::Blobs;
use base::Kind;

#[tokio::test]
async fn a_blob_is_kept_under_its_key_or_its_content() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("blobs");
    let blobs = Blobs::connect(&format!("file:{}", path.display())).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(blobs.get("scans/1/nmap.xml").await.unwrap(), None);
    blobs.put("scans/1/nmap.xml", b"old".to_vec()).await.unwrap();
    blobs.put("scans/1/nmap.xml", b"new".to_vec()).await.unwrap();
    assert_eq!(blobs.get("scans/1/nmap.xml").await.unwrap().unwrap(), b"new");

    let key = blobs.store(b"abc".to_vec()).await.unwrap();
    assert_eq!(key, "sha256/ba/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(blobs.store(b"abc".to_vec()).await.unwrap(), key);
    assert_eq!(blobs.get(&key).await.unwrap().unwrap(), b"abc");
    blobs.delete(&key).await.unwrap();
    blobs.delete(&key).await.unwrap();
    assert_eq!(blobs.get(&key).await.unwrap(), None);
    blobs.ping().await.unwrap();

    let reopened = Blobs::connect(&format!("file:{}", path.display())).unwrap();
    assert_eq!(reopened.get("scans/1/nmap.xml").await.unwrap().unwrap(), b"new");
}

#[tokio::test]
async fn a_key_cannot_leave_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::connect(&format!("file:{}", folder.path().join("blobs").display())).unwrap();
    let long = "k".repeat(513);
    for key in ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", ".hidden", "a/.b", "a b", "a\\b", "ä", "%2e%2e/x", "a\0b", &long] {
        assert_eq!(blobs.put(key, Vec::new()).await.unwrap_err().kind(), Kind::Invalid, "{key:?}");
        assert_eq!(blobs.get(key).await.unwrap_err().kind(), Kind::Invalid, "{key:?}");
    }
    assert_eq!(Blobs::connect("s3://bucket").unwrap_err().code(), "config.backend");
}
