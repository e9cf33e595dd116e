//! The checks of DNS servers and of the records of a domain; a table.

use super::checks;

checks! { SERVER in "dns.nameserver";
    VERSION = "dns.version-told" Low L37 200 "The DNS server tells its version",
        "https://www.rfc-editor.org/rfc/rfc4892",
        "An exact version tells an attacker which known weaknesses to try.",
        "Set the version text to something that names no product and no version.";
    RECURSION = "dns.open-recursion" Medium M58 406 "The DNS server resolves names for anybody",
        "https://www.rfc-editor.org/rfc/rfc5358",
        "Strangers use the server to amplify attacks on others, and can try to fill its cache with false answers.",
        "Allow recursion to own networks only; separate resolvers from authoritative servers.";
}

checks! { ZONES in "dns.zones";
    TRANSFER = "dns.zone-transfer" Medium M53 200 "Anybody may transfer a zone",
        "https://www.rfc-editor.org/rfc/rfc5936",
        "The whole zone can be fetched at once: every name and address, those of internal hosts included.",
        "Allow transfers to the secondary servers only, by address and TSIG key.";
    UPDATE = "dns.update-open" High H75I 306 "Anybody may change a zone",
        "https://www.rfc-editor.org/rfc/rfc2136",
        "The server accepted a dynamic update, made without any change, from an unauthenticated client.",
        "Allow updates with a TSIG key only, or not at all.";
}

checks! { ZONE in "dns.records";
    DNSSEC_ABSENT = "dns.dnssec-absent" Info NONE 345 "The zone is not signed",
        "https://www.rfc-editor.org/rfc/rfc9364",
        "Without DNSSEC a resolver cannot tell the zone's answers from forged ones.",
        "Sign the zone and have the parent publish its DS record.";
    DNSSEC_BROKEN = "dns.dnssec-broken" Medium M53A 347 "The zone's signatures do not hold",
        "https://www.rfc-editor.org/rfc/rfc4035",
        "Resolvers that validate refuse the zone: its names cannot be reached through them.",
        "Renew the signatures, and check that the published keys are those that signed.";
    DNSSEC_WEAK = "dns.dnssec-weak-algorithm" Low L37I 327 "The zone is signed with a deprecated algorithm",
        "https://www.rfc-editor.org/rfc/rfc8624",
        "RSA with MD5 or SHA-1 and DSA must no longer be used to sign zones; resolvers begin to treat them as unsigned.",
        "Roll over to ECDSA P-256 (13) or Ed25519 (15).";
    SPF_MISSING = "dns.spf-missing" Medium M53I 290 "The domain receives mail and has no SPF record",
        "https://www.rfc-editor.org/rfc/rfc7208",
        "Receivers cannot tell which servers may send mail in the domain's name.",
        "Publish a TXT record that names the senders and ends with -all.";
    SPF_WEAK = "dns.spf-weak" Medium M53I 290 "The SPF record lets anybody send",
        "https://www.rfc-editor.org/rfc/rfc7208#section-5.1",
        "The record ends with +all or ?all, or with nothing that refuses other senders.",
        "End the record with -all, or ~all while it is being tried.";
    SPF_BROKEN = "dns.spf-broken" Low L37I 290 "The SPF record cannot be evaluated",
        "https://www.rfc-editor.org/rfc/rfc7208#section-4.5",
        "More than one record, or more than ten look-ups: receivers treat the record as an error, or as absent.",
        "Publish exactly one record with at most ten include, a, mx, ptr, exists and redirect terms.";
    DMARC_MISSING = "dns.dmarc-missing" Medium M53I 290 "The domain receives mail and has no DMARC record",
        "https://www.rfc-editor.org/rfc/rfc7489",
        "Nothing tells receivers what to do with mail that only claims to come from the domain.",
        "Publish a DMARC record, first with p=none and reports, then quarantine or reject.";
    DMARC_WEAK = "dns.dmarc-no-policy" Low L37I 290 "The DMARC policy lets forged mail through",
        "https://www.rfc-editor.org/rfc/rfc7489#section-6.3",
        "With p=none, or with a percentage below 100, receivers deliver mail that fails the checks.",
        "Move to p=quarantine or p=reject once the reports show that own mail passes.";
    CAA_MISSING = "dns.caa-missing" Info NONE 295 "No CAA record",
        "https://www.rfc-editor.org/rfc/rfc8659",
        "Every certificate authority may issue certificates for the domain.",
        "Publish CAA records that name the authorities in use.";
    MTA_STS_MISSING = "dns.mta-sts-missing" Info NONE 319 "The domain receives mail without MTA-STS",
        "https://www.rfc-editor.org/rfc/rfc8461",
        "An attacker on the path can keep mail servers from using TLS.",
        "Publish an MTA-STS policy, or DANE records in a signed zone.";
    DANGLING = "dns.dangling-cname" Medium M48 672 "An alias leads to a name that does not exist",
        "https://www.rfc-editor.org/rfc/rfc1034#section-3.6.2",
        "Whoever can register the name it leads to serves content and obtains certificates in this domain's name.",
        "Remove the record, or bring its target back.";
    LAME = "dns.lame-server" Low L37A 672 "A name server does not answer for its zone",
        "https://www.rfc-editor.org/rfc/rfc1912#section-2.8",
        "The zone's records name a server that is not authoritative for it: look-ups are slow and may fail.",
        "Configure the zone on the server, or remove its NS record.";
    SINGLE_SERVER = "dns.single-nameserver" Info NONE 654 "The zone has one name server only",
        "https://www.rfc-editor.org/rfc/rfc2182",
        "When that server or its network fails, the whole domain is gone.",
        "Run a second server in another network.";
    WILDCARD = "dns.wildcard" Info NONE 1188 "Every name of the zone exists",
        "https://www.rfc-editor.org/rfc/rfc4592",
        "A wildcard record answers for names nobody set up, so that a forged or mistyped name seems to be real.",
        "Remove the wildcard where it is not needed.";
}
