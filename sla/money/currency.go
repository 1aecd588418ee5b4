package money

import (
	"fmt"
	"strings"
)

// Currency is an ISO 4217 alphabetic code in capitals, such as "EUR".
type Currency string

// Known reports whether the code is an active one of ISO 4217 (list one as of
// 2026: without BGN, which ended with 2025, and without the codes for metals,
// testing, bond markets and units of account of banks such as XDR).
func (c Currency) Known() bool {
	i, ok := c.index()
	return ok && (hundredths[i/64]>>(i%64)&1 == 1 || c.Digits() != 2)
}

// index numbers the codes of three capitals from AAA to ZZZ.
func (c Currency) index() (i uint, ok bool) {
	if len(c) != 3 {
		return 0, false
	}
	for _, letter := range []byte(c) {
		if letter < 'A' || letter > 'Z' {
			return 0, false
		}
		i = 26*i + uint(letter-'A')
	}
	return i, true
}

// hundredths has the bits of the codes in twoDigits, by index: every amount that
// is made asks.
var hundredths = func() (set [26*26*26/64 + 1]uint64) {
	for code := range strings.FieldsSeq(twoDigits) {
		if i, ok := Currency(code).index(); ok {
			set[i/64] |= 1 << (i % 64)
		}
	}
	return set
}()

// Digits returns the number of decimals of the minor unit by ISO 4217: 2 for
// most, 0 for JPY, 3 for KWD.
func (c Currency) Digits() int {
	switch c {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	case "CLF", "UYW":
		return 4
	}
	return 2
}

// twoDigits are the active codes with two decimals.
const twoDigits = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP " +
	"CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT " +
	"LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR " +
	"RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES " +
	"WST XCD XCG YER ZAR ZMW ZWG"

// CurrencyError reports a code that is not a currency of ISO 4217.
type CurrencyError struct {
	Code string
}

// Error says what was found and what is accepted.
func (e *CurrencyError) Error() string {
	return fmt.Sprintf("currency %q: want an ISO 4217 code like \"EUR\"", e.Code)
}
