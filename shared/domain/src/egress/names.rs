//! Names that are not a public receiver's, and what a name may be made of.

const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// What hosts files call loopback.
const THIS_MACHINE: [&str; 8] = [
    "localhost",
    "localhost.localdomain",
    "localhost4",
    "localhost4.localdomain4",
    "localhost6",
    "localhost6.localdomain6",
    "ip6-localhost",
    "ip6-loopback",
];

/// Where clouds keep their machines' credentials, by name.
const METADATA: [&str; 9] = [
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "metadata.tencentyun.com",
    "metadata.packet.net",
    "metadata.platformequinix.com",
    "api.metadata.cloud.ibm.com",
    "instance-data",
    "instance-data.ec2.internal",
];

/// Zones of private networks: RFC 6762 (its appendix G too), RFC 8375, ICANN's .internal, hosts files, Kubernetes.
const PRIVATE_ZONES: [&str; 13] = [
    "local",
    "internal",
    "home.arpa",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "localdomain",
    "localdomain4",
    "localdomain6",
    "svc",
    "consul",
];

/// Zones that the public DNS does not serve (RFC 7686, RFC 9476) or that hold no receivers.
const OTHER_ZONES: [&str; 3] = ["onion", "alt", "arpa"];

/// `zone` itself or what is below it.
pub(super) fn is_under(name: &str, zone: &str) -> bool {
    name.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Loopback by name. What is below `localhost` counts as it does (RFC 6761).
pub(super) fn is_this_machine(name: &str) -> bool {
    is_under(name, "localhost") || THIS_MACHINE.contains(&name)
}

/// # Errors
/// Why a name is not a public receiver's.
pub(super) fn check(name: &str) -> Result<(), &'static str> {
    if METADATA.iter().any(|zone| is_under(name, zone)) {
        return Err("it is a cloud's metadata service");
    }
    if PRIVATE_ZONES.iter().any(|zone| is_under(name, zone)) {
        return Err("it means a private network");
    }
    if OTHER_ZONES.iter().any(|zone| is_under(name, zone)) {
        return Err("its zone holds no public receivers");
    }
    if name.contains('.') { Ok(()) } else { Err("a public name has a dot") }
}

/// Holds a name to what the DNS and certificates can carry. Parsers of URLs let more pass.
///
/// # Errors
/// What it breaks.
pub(crate) fn check_letters(name: &str) -> Result<(), &'static str> {
    if name.len() > MAX_NAME {
        return Err("it is longer than 253 characters");
    }
    for label in name.split('.') {
        if label.is_empty() {
            return Err("it has an empty label");
        }
        if label.len() > MAX_LABEL {
            return Err("a label is longer than 63 characters");
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err("a label begins or ends with a hyphen");
        }
        if !label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
            return Err("it holds more than letters, digits, hyphens and underscores");
        }
    }
    Ok(())
}
