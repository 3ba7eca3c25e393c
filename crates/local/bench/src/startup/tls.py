"""A TLS server that never responds. Prints its port, then "request" for every received request.

The certificate chain is similar to that of most AWS endpoints: root, intermediate and leaf with RSA of 2,048 bits.
"""
import datetime
import pathlib
import socket
import ssl
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

FOLDER = pathlib.Path(sys.argv[1])
NOW = datetime.datetime.now(datetime.timezone.utc)


def certificate(name, issuer=None, authority=True):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    issuer_key, issuer_name = (key, subject) if issuer is None else (issuer[0], issuer[1].subject)
    builder = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer_name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - datetime.timedelta(days=1)).not_valid_after(NOW + datetime.timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if not authority:
        names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.DNSName("*.localhost")])
        builder = builder.add_extension(names, critical=False)
    return key, builder.sign(issuer_key, hashes.SHA256())


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


root = certificate("root")
intermediate = certificate("intermediate", root)
leaf = certificate("localhost", intermediate, authority=False)
(FOLDER / "certificates.pem").write_bytes(pem(root[1]))
(FOLDER / "chain.pem").write_bytes(pem(leaf[1]) + pem(intermediate[1]) + leaf[0].private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(FOLDER / "chain.pem")
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    connection, _ = listener.accept()
    connection.settimeout(10)
    try:
        with context.wrap_socket(connection, server_side=True) as stream:
            stream.recv(1)
            print("request", flush=True)
            # No response, so that the function does not continue. Wait until it closes the connection.
            while stream.recv(65536):
                pass
    except OSError as error:
        if "request" not in str(error) and isinstance(error, ssl.SSLError) and "CERTIFICATE" in str(error).upper():
            print(error, flush=True)
