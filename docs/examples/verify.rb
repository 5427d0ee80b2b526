# Whether the headers fit body, the bytes as they came, under any of the secrets. While you change your secret, give both, the old
# one and the new one. Copy it into your receiver; it needs only Ruby's own libraries.
# An old timestamp is refused: somebody may be sending again what they once overheard.
require "openssl"

def authentic_standard?(body, headers, secrets)
  id, timestamp = headers["webhook-id"].to_s.b, headers["webhook-timestamp"].to_s.b
  return false unless timestamp.match?(/\A[0-9]+\z/) && (Time.now.to_i - timestamp.to_i).abs <= 300

  signed = id + "." + timestamp + "." + body.b
  signatures = headers["webhook-signature"].to_s.b.split(" ")
  secrets.any? do |secret|
    key = secret.delete_prefix("whsec_").unpack1("m0")
    next false if key.empty?

    expected = "v1," + [OpenSSL::HMAC.digest("SHA256", key, signed)].pack("m0")
    signatures.any? { |given| OpenSSL.secure_compare(given, expected) }
  rescue ArgumentError # no base64
    false
  end
end
