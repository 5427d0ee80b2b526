# Whether Standard Webhooks' headers fit body, the bytes as they came, under any of the secrets. Copy it into your receiver;
# it needs only Ruby's own libraries (base64 is a gem of its own from Ruby 3.4 on).
require "base64"
require "openssl"

def authentic_standard?(body, headers, secrets)
  id, timestamp = headers["webhook-id"].to_s, headers["webhook-timestamp"].to_s
  return false unless timestamp.match?(/\A\d+\z/) && (Time.now.to_i - timestamp.to_i).abs <= 300

  secrets.any? do |secret|
    key = Base64.strict_decode64(secret.delete_prefix("whsec_"))
    next false if key.empty?

    expected = "v1," + Base64.strict_encode64(OpenSSL::HMAC.digest("SHA256", key, "#{id}.#{timestamp}.#{body}"))
    headers["webhook-signature"].to_s.split(" ").any? { |given| OpenSSL.secure_compare(given, expected) }
  rescue ArgumentError # no base64
    false
  end
end
