"""What both dialects take from ISO 8583:1987 as it is: fixed elements, with name and width.

How a digit or a character becomes bytes is each dialect's own matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

NUMERIC: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "3": ("Processing code", 6),
        "4": ("Amount, transaction", 12),
        "5": ("Amount, settlement", 12),
        "6": ("Amount, cardholder billing", 12),
        "7": ("Transmission date and time", 10),
        "8": ("Amount, cardholder billing fee", 8),
        "9": ("Conversion rate, settlement", 8),
        "10": ("Conversion rate, cardholder billing", 8),
        "11": ("System trace audit number", 6),
        "12": ("Time, local transaction", 6),
        "13": ("Date, local transaction", 4),
        "15": ("Date, settlement", 4),
        "16": ("Date, conversion", 4),
        "17": ("Date, capture", 4),
        "18": ("Merchant category code", 4),
        "19": ("Acquiring institution country code", 3),
        "20": ("PAN extended, country code", 3),
        "21": ("Forwarding institution country code", 3),
        "23": ("Card sequence number", 3),
        "24": ("Network international identifier", 3),
        "25": ("Point-of-service condition code", 2),
        "26": ("Point-of-service PIN capture code", 2),
        "27": ("Authorization identification response length", 1),
        "49": ("Currency code, transaction", 3),
        "50": ("Currency code, settlement", 3),
        "51": ("Currency code, cardholder billing", 3),
        "53": ("Security-related control information", 16),
        "66": ("Settlement code", 1),
        "67": ("Extended payment code", 2),
        "68": ("Receiving institution country code", 3),
        "69": ("Settlement institution country code", 3),
        "70": ("Network management information code", 3),
        "71": ("Message number", 4),
        "72": ("Message number, last", 4),
        "73": ("Date, action", 6),
        "74": ("Credits, number", 10),
        "75": ("Credits, reversal number", 10),
        "76": ("Debits, number", 10),
        "77": ("Debits, reversal number", 10),
        "78": ("Transfers, number", 10),
        "79": ("Transfers, reversal number", 10),
        "80": ("Inquiries, number", 10),
        "81": ("Authorizations, number", 10),
        "82": ("Credits, processing fee amount", 12),
        "83": ("Credits, transaction fee amount", 12),
        "84": ("Debits, processing fee amount", 12),
        "85": ("Debits, transaction fee amount", 12),
        "86": ("Credits, amount", 16),
        "87": ("Credits, reversal amount", 16),
        "88": ("Debits, amount", 16),
        "89": ("Debits, reversal amount", 16),
    }
)

TEXT: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "28": ("Amount, transaction fee", 9),
        "29": ("Amount, settlement fee", 9),
        "30": ("Amount, transaction processing fee", 9),
        "31": ("Amount, settlement processing fee", 9),
        "37": ("Retrieval reference number", 12),
        "38": ("Authorization identification response", 6),
        "39": ("Response code", 2),
        "40": ("Service restriction code", 3),
        "41": ("Card acceptor terminal identification", 8),
        "42": ("Card acceptor identification code", 15),
        "91": ("File update code", 1),
        "92": ("File security code", 2),
        "93": ("Response indicator", 5),
        "94": ("Service indicator", 7),
        "97": ("Amount, net settlement", 17),
        "98": ("Payee", 25),
    }
)
