"""Shows that hosts have one spelling, that odd ones are refused with one error, and that no private address passes for a public one."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.provisional import domains

from fedcollab.base.addresses import canonical_host, host_of, is_global, read_host, split
from fedcollab.base.errors import BadRequest

V4 = st.ip_addresses(v=4)


@given(domains())
def test_a_host_name_has_one_spelling(name: str) -> None:
    try:
        found = canonical_host(name)
    except BadRequest:
        return
    assert found == canonical_host(found) == canonical_host(name.upper()) == canonical_host(name + ".")
    assert host_of(f"https://{name}/x") == host_of(f"https://{name.upper()}:443/y?z") == found
    assert host_of(f"https://{name}:8443/") == f"{found}:8443"


@given(st.one_of(st.text(), st.text().map("https://".__add__), domains().map(lambda d: f"https://{d}@{d}")))
def test_any_text_is_an_address_or_refused_with_the_one_error(text: str) -> None:
    for read in (host_of, canonical_host, split):
        try:
            read(text)
        except BadRequest:
            continue


@pytest.mark.parametrize(
    "uri",
    [
        "ftp://a.example", "//a.example", "https://", "https://u@a.example",
        "https://a.example\\@b", "https://a.example:x", "https://a b",
        "https://a.example:99999", "https://0x7f.1", "https://2130706433", "https://127.1", "https://10.0.0.1", "https://[fe80::1]",
        "https://a..b", "https://-a.example", "https://a.example/\r\nx", "https://" + "a" * 64 + ".example",
        "https://a.example/" + "x" * 2000,
    ],
)  # fmt: skip
def test_an_address_in_disguise_is_refused(uri: str) -> None:
    with pytest.raises(BadRequest):
        host_of(uri)


def test_names_in_other_scripts_are_compared_in_their_ascii_form() -> None:
    assert host_of("https://müller.example/") == host_of("https://xn--mller-kva.example") == host_of("https://MÜLLER.example:443")


@given(V4)
def test_an_address_inside_another_is_judged_as_itself(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    wrapped = [
        f"::ffff:{address}", str(ipaddress.IPv6Address((0x64FF9B << 96) | number)),
        str(ipaddress.IPv6Address((0x2002 << 112) | number << 80)),
        str(ipaddress.IPv6Address((0x20010000 << 96) | (~number & 0xFFFFFFFF))), f"::{address}",
    ]  # fmt: skip
    assert {is_global(text) for text in wrapped} == {is_global(str(address))}


@given(st.one_of(*(st.ip_addresses(network=n) for n in (
    "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "0.0.0.0/8", "224.0.0.0/4",
    "240.0.0.0/4",
    "198.18.0.0/15", "192.0.2.0/24", "fc00::/7", "fe80::/10", "ff00::/8", "::/127", "fec0::/10",
))))  # fmt: skip
def test_no_address_of_a_private_network_is_global(address: object) -> None:
    assert not is_global(str(address))
    assert not is_global(f"{address}%eth0")


def test_addresses_of_the_public_internet_are_global_and_words_are_not() -> None:
    assert all(is_global(text) for text in ("93.184.216.34", "2606:2800:220:1::1", "::ffff:8.8.8.8"))
    assert not any(is_global(text) for text in ("", "localhost", "example.org", "1.2.3", "01.2.3.4"))


PARTS = st.lists(st.sampled_from(["a", "b-c", "xn--a", "_x", "-", "1", "0x7f", "A", "example", "127.0.0.1", ""]), min_size=1, max_size=4)
REST = st.sampled_from(["/", "/a", "/a?b=c", "/a#b", "", "?a", "#a", "/a b", "/\\", "/@", "/é", "/\n"])
PORTS = st.sampled_from(["", ":443", ":80", ":0443", ":8443", ":65535", ":65536", ":59999", ":0", ":", ":99999", "@x"])


@given(st.sampled_from(["https", "http", "HTTPS", "ftp"]), PARTS, PORTS, REST)
def test_the_short_way_to_a_host_is_the_long_way(scheme: str, parts: list[str], port: str, rest: str) -> None:
    uri = f"{scheme}://{'.'.join(parts)}{port}{rest}"
    try:
        expected = read_host(uri)
    except BadRequest:
        with pytest.raises(BadRequest):
            host_of(uri)
        return
    assert host_of(uri) == expected
