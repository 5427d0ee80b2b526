use postrider_domain::dialect::{self, NETRAFLOW, NOUVEL, NUR, STANDARD};

use super::*;

/// Every way to sign that a dialect's description can say.
fn ways() -> Vec<Dialect> {
    let contents =
        [Content::Body, Content::IdTimestampBody { id_header: "X-Acme-Id", timestamp_header: "X-Acme-Timestamp" }];
    let keys = [KeyDerivation::WholeText, KeyDerivation::Base64After("key_")];
    let mut ways = Vec::new();
    for content in contents {
        for key in keys {
            for encoding in [Encoding::Hex, Encoding::Base64] {
                for prefix in ["", "v9="] {
                    let signing = Signing { header: "X-Acme-Signature", content, encoding, prefix, key };
                    ways.push(Dialect { name: "acme", signing, retry: NUR.retry.clone(), ..NUR });
                }
            }
        }
    }
    ways
}

#[test]
fn every_way_to_sign_has_a_program_in_everything() {
    for dialect in ways() {
        for runtime in Runtime::ALL {
            let program = program(*runtime, &dialect);
            assert!(!program.contains("{{") && !program.contains("\n%"), "{program}");
            let header = quoted(*runtime, &runtime.header("X-Acme-Signature"));
            assert!(program.contains(&header), "{header} in {program}");
            assert_eq!(program.contains("v9="), !dialect.signing.prefix.is_empty(), "{program}");
            let is_decoded = matches!(dialect.signing.key, KeyDerivation::Base64After(_));
            assert_eq!(program.contains("key_\""), is_decoded, "{program}");
            let is_dated = matches!(dialect.signing.content, Content::IdTimestampBody { .. });
            let timestamp = quoted(*runtime, &runtime.header("X-Acme-Timestamp"));
            assert_eq!(program.contains(&timestamp), is_dated, "{program}");
        }
    }
}

#[test]
fn a_dialects_own_headers_stand_in_its_programs_and_no_other_dialects() {
    let all = [&NUR, &NOUVEL, &NETRAFLOW, &STANDARD];
    assert_eq!(dialect::all().count(), all.len());
    for dialect in all {
        for runtime in Runtime::ALL {
            let program = program(*runtime, dialect);
            for other in all {
                let header = quoted(*runtime, &runtime.header(other.signing.header));
                assert_eq!(program.contains(&header), other == dialect, "{header} in {program}");
            }
        }
    }
}

#[test]
fn functions_are_called_by_their_dialects() {
    assert!(program(Runtime::Python, &STANDARD).contains("def is_authentic_standard("));
    assert!(program(Runtime::Go, &NETRAFLOW).contains("func IsAuthenticNetraflow("));
    let odd = Dialect { name: "my shop-2é", retry: NUR.retry.clone(), ..NUR };
    assert!(program(Runtime::Ruby, &odd).contains("def authentic_my_shop_2_?("));
    assert!(program(Runtime::Node, &odd).contains("function isAuthenticMyShop2("));
}
