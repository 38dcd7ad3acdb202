/* Gives h2load, which has no option for it, the certificate that a server demands: preloaded, it
   adds CLIENT_CHAIN and CLIENT_KEY (paths of PEM files) to every context that OpenSSL makes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_method_st SSL_METHOD;
extern int SSL_CTX_use_certificate_chain_file(SSL_CTX *context, const char *file);
extern int SSL_CTX_use_PrivateKey_file(SSL_CTX *context, const char *file, int type);

enum { PEM = 1 };

SSL_CTX *SSL_CTX_new(const SSL_METHOD *method) {
  SSL_CTX *(*next)(const SSL_METHOD *) = dlsym(RTLD_NEXT, "SSL_CTX_new");
  const char *chain = getenv("CLIENT_CHAIN"), *key = getenv("CLIENT_KEY");
  SSL_CTX *context = next ? next(method) : NULL;
  if (!context || !chain || !key) return context;
  if (SSL_CTX_use_certificate_chain_file(context, chain) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, key, PEM) != 1) {
    fprintf(stderr, "client-certificate: %s or %s cannot be used\n", chain, key);
    exit(1);
  }
  return context;
}
