// TLS by Asio's `ssl::stream` over streams of net: both ways, and what the client refuses.

#include <gtest/gtest.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <tenon/net/net.hpp>
#include <tenon/tenon.hpp>

#include "support/asio.hpp"

namespace {

using namespace std::chrono_literals;
using tenon::asio_stream;
using tenon::context;
using tenon::error;
using tenon::group;
using tenon::net::tcp_listener;
using tenon::net::tcp_stream;
using tenon_test::asio_error_code;
using tls_stream = asio::ssl::stream<asio_stream<tcp_stream&>>;

template <class T, void (*Free)(T*)>
struct freed_by {
  void operator()(T* p) const noexcept { Free(p); }
};
using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY, EVP_PKEY_free>>;
using certificate_ptr = std::unique_ptr<X509, freed_by<X509, X509_free>>;

/// A certificate for `host` that is signed by its own key, from `begins` to `ends` seconds from now.
struct identity {
  key_ptr key;
  certificate_ptr certificate;

  explicit identity(const std::string& host, long begins = -60, long ends = 3600)
      : key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")), certificate(X509_new()) {
    X509* const c = certificate.get();
    X509_set_version(c, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(c), 1);
    X509_gmtime_adj(X509_getm_notBefore(c), begins);
    X509_gmtime_adj(X509_getm_notAfter(c), ends);
    X509_set_pubkey(c, key.get());
    X509_NAME* const name = X509_get_subject_name(c);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(host.c_str()), -1, -1,
                               0);
    X509_set_issuer_name(c, name);
    X509_EXTENSION* const names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("DNS:" + host).c_str());
    X509_add_ext(c, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(c, key.get(), EVP_sha256());
  }
};

asio::ssl::context server_settings(const identity& of) {
  asio::ssl::context settings(asio::ssl::context::tls_server);
  SSL_CTX_use_certificate(settings.native_handle(), of.certificate.get());
  SSL_CTX_use_PrivateKey(settings.native_handle(), of.key.get());
  return settings;
}

/// Trusts that one, or nobody.
asio::ssl::context client_settings(const identity* trusted) {
  asio::ssl::context settings(asio::ssl::context::tls_client);
  settings.set_verify_mode(asio::ssl::verify_peer);
  if (trusted != nullptr)
    X509_STORE_add_cert(SSL_CTX_get_cert_store(settings.native_handle()), trusted->certificate.get());
  return settings;
}

/// What the client gets when it asks `of` under the name of `host`, and the code of the server's handshake.
struct meeting {
  asio_error_code client;
  asio_error_code server;
  std::string answer;
};
meeting meet(const identity& of, const identity* trusted, const std::string& host) {
  meeting m;
  tenon::run([&](const context& root) {
    auto at = tcp_listener::listen("127.0.0.1:0").value();
    group g(root);
    g.go([&](const context& ctx) -> error {
      auto settings = server_settings(of);
      tcp_stream peer = at.accept(ctx).value();
      tls_stream tls(peer, settings);
      tls.handshake(asio::ssl::stream_base::server, m.server);
      if (m.server) return nullptr;
      std::string line;
      asio_error_code ec;
      asio::read_until(tls, asio::dynamic_buffer(line), "\n", ec);
      asio::write(tls, asio::buffer("you said: " + line), ec);
      tls.shutdown(ec);
      return nullptr;
    });
    auto settings = client_settings(trusted);
    tcp_stream peer = tcp_stream::connect(root, at.local().value()).value();
    tls_stream tls(peer, settings);
    SSL_set_tlsext_host_name(tls.native_handle(), host.c_str());
    tls.set_verify_callback(asio::ssl::host_name_verification(host));
    tls.handshake(asio::ssl::stream_base::client, m.client);
    if (!m.client) {
      asio_error_code ec;
      asio::write(tls, asio::buffer(std::string("hello\n")), ec);
      asio::read(tls, asio::dynamic_buffer(m.answer), ec);
      EXPECT_EQ(ec, asio::error::eof) << "an orderly end";
      tls.shutdown(ec);
    }
    (void)peer.close();
    EXPECT_FALSE(g.wait());
  });
  return m;
}

/// OpenSSL's reason.
std::string reason(const asio_error_code& code) {
  const char* const text = ERR_reason_error_string(static_cast<unsigned long>(code.value()));
  return text != nullptr ? text : code.message();
}

// Go: tls.Client, tls.Server
TEST(Tls, CarriesBytesBothWays) {
  const identity server("example.org");
  const meeting m = meet(server, &server, "example.org");
  EXPECT_FALSE(m.client) << m.client.message();
  EXPECT_FALSE(m.server) << m.server.message();
  EXPECT_EQ(m.answer, "you said: hello\n");
}

TEST(Tls, RefusesACertificateThatNobodyVouchesFor) {
  const identity server("example.org");
  const meeting m = meet(server, nullptr, "example.org");
  EXPECT_EQ(reason(m.client), "certificate verify failed");
  EXPECT_TRUE(m.server) << "it is told";
}

TEST(Tls, RefusesACertificateOfAnotherName) {
  const identity server("example.com");
  EXPECT_EQ(reason(meet(server, &server, "example.org").client), "certificate verify failed");
}

TEST(Tls, RefusesACertificateThatHasExpired) {
  const identity server("example.org", -7200, -3600);
  EXPECT_EQ(reason(meet(server, &server, "example.org").client), "certificate verify failed");
}

/// Both ends of a connection; `server` waits for a client that speaks TLS, `client` wants to be one.
void with_ends(const std::function<void(const context&, tcp_stream& server, tcp_stream& client)>& f) {
  tenon::run([&](const context& root) {
    auto at = tcp_listener::listen("127.0.0.1:0").value();
    tcp_stream client = tcp_stream::connect(root, at.local().value()).value();
    tcp_stream server = at.accept(root).value();
    f(root, server, client);
  });
}

TEST(Tls, IsNotSpokenToWhoDoesNot) {
  with_ends([](const context& root, tcp_stream& server, tcp_stream& client) {
    auto settings = client_settings(nullptr);
    tls_stream tls(client, settings);
    EXPECT_FALSE(server.write_all(root, "HTTP/1.1 400 Bad Request\r\n\r\n"));
    asio_error_code ec;
    tls.handshake(asio::ssl::stream_base::client, ec);
    EXPECT_EQ(reason(ec), "wrong version number");
  });
  with_ends([](const context& root, tcp_stream& server, tcp_stream& client) {
    const identity of("example.org");
    auto settings = server_settings(of);
    tls_stream tls(server, settings);
    EXPECT_FALSE(client.write_all(root, "GET / HTTP/1.1\r\n\r\n"));
    asio_error_code ec;
    tls.handshake(asio::ssl::stream_base::server, ec);
    EXPECT_EQ(reason(ec), "http request");
  });
}

TEST(Tls, AHandshakeEndsWithItsDeadline) {
  with_ends([](const context&, tcp_stream&, tcp_stream& client) {
    auto settings = client_settings(nullptr);
    tls_stream tls(client, settings);
    tls.next_layer().expires_after(1ms);
    asio_error_code ec;
    tls.handshake(asio::ssl::stream_base::client, ec);
    EXPECT_EQ(ec, asio::error::timed_out);
  });
}

// Go: a conn that was closed without close_notify: io.ErrUnexpectedEOF
TEST(Tls, SaysThatAStreamWasCutOff) {
  with_ends([](const context& root, tcp_stream& server, tcp_stream& client) {
    const identity of("example.org");
    auto theirs = server_settings(of);
    auto ours = client_settings(&of);
    group g(root);
    g.go([&] {
      tls_stream tls(server, theirs);
      asio_error_code ec;
      tls.handshake(asio::ssl::stream_base::server, ec);
      (void)server.close();
    });
    tls_stream tls(client, ours);
    asio_error_code ec;
    tls.handshake(asio::ssl::stream_base::client, ec);
    EXPECT_FALSE(ec) << ec.message();
    char one[1];
    (void)tls.read_some(asio::buffer(one), ec);
    EXPECT_EQ(ec, asio::ssl::error::stream_truncated);
    EXPECT_FALSE(g.wait());
  });
}

}  // namespace
