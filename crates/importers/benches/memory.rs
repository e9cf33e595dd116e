//! One gigabyte of each format, generated while it is read: peak memory, CPU time and rate, one process each.
#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a bench starts itself once per format and prints what it measured")]

use std::error::Error;
use std::io::{self, Read};
use std::process::Command;

use importers::{Format, Limits, Record, Sink, Stop, parse};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZE: u64 = 1_000_000_000;

/// A file that exists only while it is read: a head, records until the size is reached, a tail.
struct Generated {
    tail: &'static str,
    record: fn(u64) -> String,
    buffer: Vec<u8>,
    next: usize,
    made: u64,
    count: u64,
    ended: bool,
}

impl Generated {
    /// None for a format that reads as one of these do.
    fn new(format: Format) -> Option<Self> {
        let (head, tail, record): (_, _, fn(u64) -> String) = match format {
            Format::Nmap => (
                "<?xml version=\"1.0\"?><nmaprun start=\"1\"><scaninfo type=\"connect\" protocol=\"tcp\" services=\"1-1024\"/>",
                "<runstats><finished exit=\"success\"/></runstats></nmaprun>",
                nmap,
            ),
            Format::Sarif => (
                "{\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":\"bench\",\"rules\":[{\"id\":\"rule\"}]}},\"results\":[{\"ruleId\":\"rule\",\"message\":{\"text\":\"first\"}}",
                "]}]}",
                sarif,
            ),
            Format::Nuclei => ("", "", nuclei),
            Format::Sslscan => ("<?xml version=\"1.0\"?><document title=\"SSLScan Results\" version=\"2.0.7\">", "</document>", sslscan),
            Format::Trivy => (
                "{\"SchemaVersion\":2,\"ArtifactName\":\"team/app:1\",\"ArtifactType\":\"container_image\",\"Results\":[{\"Target\":\"Java\",\"Class\":\"lang-pkgs\",\"Type\":\"jar\",\"Vulnerabilities\":[{\"VulnerabilityID\":\"CVE-2024-0\",\"PkgName\":\"first\",\"Severity\":\"LOW\"}",
                "]}]}",
                trivy,
            ),
            Format::AnchoreGrype => (
                "{\"matches\":[{\"vulnerability\":{\"id\":\"CVE-2024-0\"},\"artifact\":{\"name\":\"first\"}}",
                "],\"source\":{\"type\":\"image\",\"target\":{\"userInput\":\"team/app:1\"}},\"descriptor\":{\"name\":\"grype\"}}",
                grype,
            ),
            Format::Prowler => (
                "AUTH_METHOD;ACCOUNT_UID;FINDING_UID;PROVIDER;CHECK_ID;CHECK_TITLE;STATUS;STATUS_EXTENDED;SEVERITY;RESOURCE_UID;REGION;DESCRIPTION\n",
                "",
                prowler,
            ),
            _ => return None,
        };
        Some(Self { tail, record, buffer: head.as_bytes().to_vec(), next: 0, made: 0, count: 0, ended: false })
    }
}

impl Read for Generated {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.next == self.buffer.len() {
            self.buffer.clear();
            self.next = 0;
            if self.made < SIZE {
                self.count += 1;
                self.buffer.extend_from_slice((self.record)(self.count).as_bytes());
            } else if !self.ended {
                self.ended = true;
                self.buffer.extend_from_slice(self.tail.as_bytes());
            }
            self.made += self.buffer.len() as u64;
        }
        let length = out.len().min(self.buffer.len() - self.next);
        out[..length].copy_from_slice(&self.buffer[self.next..self.next + length]);
        self.next += length;
        Ok(length)
    }
}

/// One host with eight open ports.
fn nmap(number: u64) -> String {
    let [_, a, b, c] = u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes();
    let ports: String = (1..=8)
        .map(|port| {
            format!("<port protocol=\"tcp\" portid=\"{}\"><state state=\"open\" reason=\"syn-ack\"/><service name=\"http\" product=\"nginx\" version=\"1.24\"><cpe>cpe:/a:nginx:nginx:1.24</cpe></service><script id=\"http-title\" output=\"Welcome to host {number}\"/></port>\n", port * 1000)
        })
        .collect();
    format!("<host><status state=\"up\"/><address addr=\"10.{a}.{b}.{c}\" addrtype=\"ipv4\"/><ports>{ports}</ports></host>\n")
}

fn sarif(number: u64) -> String {
    format!(
        ",{{\"ruleId\":\"rule\",\"level\":\"warning\",\"message\":{{\"text\":\"This query depends on a user-provided value.\"}},\"locations\":[{{\"physicalLocation\":{{\"artifactLocation\":{{\"uri\":\"src/file_{number}.py\"}},\"region\":{{\"startLine\":{},\"snippet\":{{\"text\":\"cursor.execute('SELECT * FROM t WHERE id = %s' % value_{number})\"}}}}}}}}],\"properties\":{{\"context\":\"{}\"}}}}\n",
        number % 5_000 + 1,
        "a line of source code that some tools add around the result; ".repeat(10),
    )
}

/// With the request and response that nuclei records.
fn nuclei(number: u64) -> String {
    format!(
        "{{\"template-id\":\"t-{}\",\"info\":{{\"name\":\"Exposed panel\",\"severity\":\"medium\",\"tags\":[\"panel\"],\"description\":\"A panel is reachable.\"}},\"type\":\"http\",\"host\":\"https://h{}.example\",\"matched-at\":\"https://h{}.example/admin/{number}\",\"request\":\"GET /admin/{number} HTTP/1.1\\r\\nHost: example\\r\\n\\r\\n\",\"response\":\"HTTP/1.1 200 OK\\r\\nContent-Type: text/html\\r\\n\\r\\n{}\",\"timestamp\":\"2024-05-20T11:11:01Z\",\"matcher-status\":true}}\n",
        number % 97,
        number % 9_973,
        number % 9_973,
        "<p class=\\\"row\\\">a line of the page</p>".repeat(40),
    )
}

fn sslscan(number: u64) -> String {
    let ciphers = "<cipher status=\"accepted\" sslversion=\"TLSv1.2\" bits=\"256\" cipher=\"ECDHE-RSA-AES256-GCM-SHA384\" id=\"0xC030\" strength=\"strong\" curve=\"25519\" ecdhebits=\"253\"/>\n".repeat(20);
    format!(
        "<ssltest host=\"h{number}.example\" sniname=\"h{number}.example\" port=\"443\"><protocol type=\"tls\" version=\"1.2\" enabled=\"1\"/><heartbleed sslversion=\"TLSv1.2\" vulnerable=\"0\"/>{ciphers}</ssltest>\n"
    )
}

fn trivy(number: u64) -> String {
    format!(
        ",{{\"VulnerabilityID\":\"CVE-2024-{}\",\"PkgName\":\"org.example:lib-{number}\",\"PkgPath\":\"app/lib-{number}.jar\",\"InstalledVersion\":\"1.2.3\",\"FixedVersion\":\"1.2.4\",\"Severity\":\"HIGH\",\"Title\":\"A flaw\",\"Description\":\"{}\",\"CVSS\":{{\"nvd\":{{\"V3Vector\":\"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\",\"V3Score\":9.8}}}},\"References\":[\"https://a.example/{number}\"]}}\n",
        number % 9_973,
        "what the database says about the flaw; ".repeat(20),
    )
}

fn grype(number: u64) -> String {
    format!(
        ",{{\"vulnerability\":{{\"id\":\"CVE-2024-{}\",\"severity\":\"High\",\"description\":\"{}\",\"fix\":{{\"versions\":[\"2\"]}}}},\"matchDetails\":[{{\"type\":\"exact-direct-match\",\"matcher\":\"java-matcher\"}}],\"artifact\":{{\"name\":\"lib-{number}\",\"version\":\"1\",\"type\":\"java-archive\",\"purl\":\"pkg:maven/org.example/lib-{number}@1\",\"locations\":[{{\"path\":\"/app/lib-{number}.jar\"}}]}}}}\n",
        number % 9_973,
        "what the database says about the flaw; ".repeat(20),
    )
}

fn prowler(number: u64) -> String {
    let status = if number.is_multiple_of(4) { "FAIL" } else { "PASS" };
    format!(
        "profile;111;f-{number};aws;check_{};A check;{status};Resource {number} is open.;medium;arn:aws:s3:::bucket-{number};eu-west-1;{}\n",
        number % 97,
        "what the check looks at and why. ".repeat(10)
    )
}

/// Drops every record, as a database writer would after storing it.
struct Dropping;

impl Sink for Dropping {
    fn record(&mut self, _: Record) -> Result<(), Stop> {
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let asked = std::env::args().nth(1).and_then(|word| word.parse::<Format>().ok());
    let Some(format) = asked else {
        for format in Format::all() {
            Command::new(std::env::current_exe()?).arg(format.id()).status()?;
        }
        return Ok(());
    };
    let Some(mut generated) = Generated::new(format) else {
        return Ok(());
    };
    let before = peak()?;
    let limits = Limits { records: u64::MAX, ..Limits::default() };
    let idle = cpu()?;
    let totals = parse(format, &mut generated, &limits, &mut Dropping)?;
    let used = cpu()? - idle;
    println!(
        "{:<13} {:>5.0} MB, {:>8} observations, {:>8} assets: {used:>5.1} CPU s, {:>4.0} MB per CPU s, peak memory {:.0} MB ({before:.0} MB before)",
        format.id(),
        totals.bytes as f64 / 1e6,
        totals.observations,
        totals.assets,
        totals.bytes as f64 / 1e6 / used,
        peak()?,
    );
    Ok(())
}

/// Peak resident memory of this process so far, in megabytes.
fn peak() -> Result<f64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no peak in /proc/self/status")?;
    let kibibytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kibibytes * 1024.0 / 1e6)
}

/// CPU seconds of this process so far, the generator's share included.
fn cpu() -> Result<f64, Box<dyn Error>> {
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF)?;
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}
