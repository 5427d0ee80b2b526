"""A certificate authority of the run's own: webhooks go to HTTPS only, also to a receiver on this machine."""

import datetime
import ipaddress
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# From when to when a certificate is valid.
Period = tuple[datetime.datetime, datetime.datetime]

LIFETIME = datetime.timedelta(days=30)
HOUR = datetime.timedelta(hours=1)
LOOPBACK = [x509.IPAddress(ipaddress.ip_address(address)) for address in ("127.0.0.1", "::1")]
LOCALHOST = [x509.DNSName("localhost"), *LOOPBACK]


class Authority:
    """`ca.pem` is trusted by the stack's functions; `receiver.pem` and its key are for any receiver on localhost.
    The misfits are certificates for the same key that nobody should accept, though a trusted authority signed
    them. All are made once per run directory; the authority's own key is never written."""

    def __init__(self, folder: Path) -> None:
        self.ca = folder / "ca.pem"
        self.cert = folder / "receiver.pem"
        self.key = folder / "receiver.key"
        names = ("expired", "not_yet_valid", "other_name", "not_for_servers", "without_intermediate")
        self.misfits = {name: folder / f"{name}.pem" for name in names}

    def as_json(self) -> dict:
        misfits = {name: str(path) for name, path in self.misfits.items()}
        return {"ca": str(self.ca), "cert": str(self.cert), "key": str(self.key), "misfits": misfits}

    def make(self) -> None:
        self.ca.parent.mkdir(parents=True, exist_ok=True)
        now = datetime.datetime.now(datetime.UTC)
        valid = (now - HOUR, now + LIFETIME)
        root = Issuer("Postrider local authority", valid)
        key = ec.generate_private_key(ec.SECP256R1())
        receiver = Leaf(key.public_key(), valid)
        self.ca.write_bytes(_pem(root.certificate))
        self.cert.write_bytes(_pem(root.sign(receiver)))
        self._write_key(key)
        # Its own certificate is nowhere: neither trusted nor sent along.
        intermediate = Issuer("Postrider local intermediate", valid)
        misfits = {
            "expired": root.sign(receiver, valid=(now - LIFETIME, now - HOUR)),
            "not_yet_valid": root.sign(receiver, valid=(now + HOUR, now + LIFETIME)),
            "other_name": root.sign(receiver, names=[x509.DNSName("somebody-else.example")]),
            "not_for_servers": root.sign(receiver, purpose=ExtendedKeyUsageOID.CLIENT_AUTH),
            "without_intermediate": intermediate.sign(receiver),
        }
        for name, path in self.misfits.items():
            path.write_bytes(_pem(misfits[name]))

    def _write_key(self, key: ec.EllipticCurvePrivateKey) -> None:
        with os.fdopen(os.open(self.key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            )


class Leaf:
    """A receiver on this machine: its key, and from when to when its certificates are valid."""

    def __init__(self, public_key: ec.EllipticCurvePublicKey, valid: Period) -> None:
        self.public_key = public_key
        self.valid = valid


class Issuer:
    """A certificate that signs others; it signs itself."""

    def __init__(self, common_name: str, valid: Period) -> None:
        self.name = _name(common_name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        public_key = self._key.public_key()
        self.certificate = (
            _certificate(self.name, self.name, public_key, valid)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def sign(
        self,
        leaf: Leaf,
        valid: Period | None = None,
        names: Sequence[x509.GeneralName] = LOCALHOST,
        purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
    ) -> x509.Certificate:
        issuer_key = self._key.public_key()
        return (
            _certificate(_name("localhost"), self.name, leaf.public_key, valid or leaf.valid)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
            .sign(self._key, hashes.SHA256())
        )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, valid: Period
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
    )


def _key_usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
