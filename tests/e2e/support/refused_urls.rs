//! URLs that no setting lets a webhook point at.

/// Refused by every stack.
pub(crate) const NEVER: [&str; 22] = [
    "http://your-app.invalid/",
    "https://user:password@your-app.invalid/",
    "https://user@your-app.invalid/",
    "https://",
    "https:///path",
    "//your-app.invalid/",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "https://10.0.0.1/",
    "https://10.1.2.3:8443/hook",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.64.0.1/",
    "https://0.0.0.0/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://[fe80::1]/",
    "https://[fd00::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[::]/",
];
