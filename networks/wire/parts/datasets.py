"""Datasets of TLVs: id (1 byte), length (2 bytes), then tag, length, value (DE 55, 104, 123).

Lengths must be in their shortest form, so that a value has one encoding and survives a decode
and encode; unknown tags and datasets are carried through as hex.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from networks.wire.parts import tlv
from networks.wire.parts.forms import Composite, Misfit, Part, hex_form, is_hex, whole_bytes
from networks.wire.spec import Datasets, Exposure

_HEAD = 3  # bytes of id and length
_MOST_TLVS = 128


@dataclass(frozen=True, slots=True)
class _Dataset:
    id: str
    start: int
    tlvs: int
    end: int
    prefix: str  # of its parts' keys; blank for the default dataset standing alone


class DatasetsCodec:
    """Codec of one element made of datasets.

    A part's key is its tag where the default dataset stands alone, ``"<dataset>.<tag>"``
    otherwise. Neither a dataset nor a tag within it may come twice.
    """

    def __init__(self, composite: Composite, layout: Datasets) -> None:
        self._composite = composite
        self._default = layout.default
        self._grammar = tlv.BER if layout.ber else tlv.ONE_BYTE
        self._elements = dict(layout.tags)
        self._forms = {tag: hex_form(element) for tag, element in layout.tags.items()}

    def decode(self, value: str) -> dict[str, str]:
        """The values by key, in the order of the wire."""
        return {part.key: part.value for part in self.locate(value)}

    def locate(self, value: str) -> Iterator[Part]:
        """Each part with its place, up to the first that is broken."""
        if not is_hex(value) or len(value) % 2:
            raise self._composite.broken("", value, 0, "expected whole bytes in upper-case hex")
        data, seen, count = bytes.fromhex(value), set[str](), 0
        for dataset in self._read_datasets(data, value):
            for found in self._read_tlvs(data, value, dataset):
                count += 1
                key = dataset.prefix + found.tag
                if key in seen or count > _MOST_TLVS:
                    expected = f"expected each tag once and at most {_MOST_TLVS} of them"
                    raise self._composite.broken(key, value, 2 * found.start, expected)
                seen.add(key)
                yield self._read(data, value, dataset, found)

    def encode(self, values: Mapping[str, str]) -> str:
        """The element's text form, datasets and tags in the order of `values`."""
        datasets: dict[str, str] = {}
        for key, text in values.items():
            dataset, _, tag = key.upper().rpartition(".")
            dataset = dataset or self._default
            written = self._write(key, dataset, tag, text)
            datasets[dataset] = datasets.get(dataset, "") + written
        return "".join(self._write_dataset(id_, body) for id_, body in datasets.items())

    def _read_datasets(self, data: bytes, value: str) -> Iterator[_Dataset]:
        start, seen = 0, set[str]()
        while start < len(data):
            tlvs = start + _HEAD
            if tlvs > len(data):
                expected = "expected a dataset id of 1 byte and a length of 2"
                raise self._composite.broken("", value, 2 * start, expected)
            id_, end = f"{data[start]:02X}", tlvs + int.from_bytes(data[start + 1 : tlvs])
            alone = id_ == self._default and start == 0 and end >= len(data)
            if id_ in seen or end == tlvs or end > len(data):
                problem = (
                    "expected it once" if id_ in seen else _misfit(end - tlvs, len(data) - tlvs)
                )
                expected = f"dataset {id_}: {problem}"
                raise self._composite.broken("", value, 2 * start, expected)
            seen.add(id_)
            yield _Dataset(id_, start, tlvs, end, "" if alone else f"{id_}.")
            start = end

    def _read_tlvs(self, data: bytes, value: str, dataset: _Dataset) -> Iterator[tlv.Tlv]:
        try:
            yield from self._grammar.read(data, dataset.tlvs, dataset.end)
        except tlv.BrokenTlv as broken:
            key = dataset.prefix + broken.tag if broken.tag else dataset.prefix.rstrip(".")
            raise self._composite.broken(key, value, 2 * broken.at, broken.expected) from None

    def _read(self, data: bytes, value: str, dataset: _Dataset, found: tlv.Tlv) -> Part:
        key, known = dataset.prefix + found.tag, self._known(dataset.id, found.tag)
        start, value_start, end = 2 * found.start, 2 * found.value_start, 2 * found.end
        text = value[value_start:end]
        if known not in self._forms:
            return Part(key, "Unknown tag", start, value_start, end, text, Exposure.SECRET)
        try:
            text = self._forms[known].read(text)
        except Misfit as misfit:
            raise self._composite.broken(key, value, value_start, str(misfit)) from None
        exposure = self._exposure(data, found, known)
        return Part(key, self._elements[known].name, start, value_start, end, text, exposure)

    def _known(self, dataset: str, tag: str) -> str:
        return tag if dataset == self._default else f"{dataset}.{tag}"

    def _exposure(self, data: bytes, found: tlv.Tlv, known: str) -> Exposure:
        """A template is as secret as what is in it, unknown tags included."""
        inside = [self._elements.get(inner.tag) for inner in self._grammar.inside(data, found)]
        if any(element is None or element.exposure is not Exposure.OPEN for element in inside):
            return Exposure.SECRET
        return self._elements[known].exposure

    def _write(self, key: str, dataset: str, tag: str, text: str) -> str:
        form = self._forms.get(self._known(dataset, tag))
        try:
            return self._grammar.write(tag, form.write(text) if form else whole_bytes(text))
        except Misfit as misfit:
            raise self._composite.unfit(key, str(misfit)) from None

    def _write_dataset(self, id_: str, body: str) -> str:
        if len(id_) != 2 or not is_hex(id_):
            raise self._composite.unfit(id_, "expected a dataset id of 1 byte in hex")
        if len(body) // 2 > 0xFFFF:
            raise self._composite.unfit(id_, "expected at most 65535 bytes in a dataset")
        return f"{id_}{len(body) // 2:04X}{body}"


def _misfit(announced: int, left: int) -> str:
    return f"{announced} bytes expected, {left} left" if announced else "expected at least one tag"
