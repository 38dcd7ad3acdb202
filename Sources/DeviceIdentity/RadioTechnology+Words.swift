/// How operators' files name a technology: by word or by number.
///
/// Numbers below 1000 are those of GTP and RADIUS, with or without leading zeros: TS 29.274, 8.17
/// (1 to 22) and TS 29.061, 16.4.7.2, `3GPP-RAT-Type`, which repeats them and adds 51, 52 and 101
/// to 105. The codes 001 to 007 and 101 to 105 of DIRBS are the same numbers. From 1000 on they are
/// those of Diameter, TS 29.212, 5.3.31, whose 0 and 1 would contradict the others and are read as
/// GTP's: 0 is reserved and refused.
extension RadioTechnology {
  /// One or more words or numbers with `|`, `;`, `,` or `/` between them, as in `GERAN|UTRAN` or
  /// `002|006`. Letter case, spaces, brackets, hyphens, underscores and full stops do not
  /// matter. Nothing for an empty text; nil where a word is not known.
  package init?(words text: some StringProtocol) {
    var copy = String(text)
    guard let known = copy.withUTF8({ Self(words: UnsafeRawBufferPointer($0)) }) else { return nil }
    self = known
  }

  /// The same, read in place.
  package init?(words bytes: UnsafeRawBufferPointer) {
    var all: RadioTechnology = []
    var word = Word()
    for byte in bytes {
      if Word.isSeparator(byte) {
        guard let technology = word.technology else { return nil }
        all.formUnion(technology)
        word = Word()
      } else {
        word.take(byte)
      }
    }
    guard let technology = word.technology else { return nil }
    self = all.union(technology)
  }

  /// TS 29.274, 8.17; TS 29.061, 16.4.7.2; from 1000 on TS 29.212, 5.3.31.
  package init?(radioAccessType number: UInt32) {
    switch number {
    case 1, 5, 1000, 1003: self = .utran
    case 2, 1001: self = .gsm
    case 3, 4, 7, 52, 1002: self = .nonCellular
    case 6, 1004: self = .eutran
    case 8, 1005: self = .nbIoT
    case 9, 1007: self = .lteM
    case 10, 51, 1006, 1008, 1039, 1040: self = .nr
    case 11...14, 1011...1014: self = [.eutran, .satellite]
    case 15...18, 1021...1024: self = [.nbIoT, .satellite]
    case 19...22, 1031...1034: self = [.lteM, .satellite]
    case 1035...1038: self = [.nr, .satellite]
    case 101: self = .wiMAX
    case 102, 103, 2001, 2003: self = .evdo
    case 104, 2000: self = .cdma2000
    case 105, 2002: self = .umb
    default: return nil
    }
  }

  /// Upper case, without what ``Word`` leaves out. A generation alone stands for its 3GPP member.
  static let byWord: [String: RadioTechnology] = [
    "2G": .gsm, "GSM": .gsm, "GPRS": .gsm, "EDGE": .gsm, "EGPRS": .gsm, "GERAN": .gsm,
    "GERA": .gsm,
    "3G": .utran, "UTRAN": .utran, "UTRA": .utran, "UMTS": .utran, "WCDMA": .utran,
    "HSPA": .utran, "HSPA+": .utran, "HSPAEVOLUTION": .utran, "HSDPA": .utran, "HSUPA": .utran,
    "TDSCDMA": .utran,
    "4G": .eutran, "LTE": .eutran, "LTEA": .eutran, "EUTRAN": .eutran, "EUTRA": .eutran,
    "WBEUTRAN": .eutran, "EUTRAU": .eutran,
    "NBIOT": .nbIoT, "EUTRANNBIOT": .nbIoT,
    "LTEM": .lteM, "CATM": .lteM, "CATM1": .lteM, "EMTC": .lteM,
    "5G": .nr, "NR": .nr, "5GNR": .nr, "5GSA": .nr, "NGRAN": .nr, "NRU": .nr,
    "NRREDCAP": .nr, "NREREDCAP": .nr,
    "5GNSA": [.eutran, .nr], "ENDC": [.eutran, .nr],
    "CDMA": .cdma2000, "CDMA2000": .cdma2000, "CDMA20001X": .cdma2000, "1XRTT": .cdma2000,
    "EVDO": .evdo, "HRPD": .evdo, "EHRPD": .evdo,
    "UMB": .umb, "WIMAX": .wiMAX, "IEEE80216": .wiMAX, "IEEE80216E": .wiMAX,
    "WLAN": .nonCellular, "WIFI": .nonCellular, "GAN": .nonCellular, "VIRTUAL": .nonCellular,
    "TRUSTEDN3GA": .nonCellular, "TRUSTEDWLAN": .nonCellular, "WIRELINE": .nonCellular,
    "WIRELINECABLE": .nonCellular,
    "WIRELINEBBF": .nonCellular, "NONCELLULAR": .nonCellular,
    "SATELLITE": .satellite, "NTN": .satellite,
  ]

  /// Behind the technology that the satellite carries, as in `NR(LEO)`, `NR_LEO` and
  /// `WB-E-UTRAN(OTHERSAT)`. TS 29.274, table 8.17-1; TS 29.571, 5.4.3.2.
  static let orbits = ["LEO", "MEO", "GEO", "OTHERSAT"]
  static let carriedBySatellite = ["EUTRAN", "WBEUTRAN", "NBIOT", "EUTRANNBIOT", "LTEM", "NR"]
}

/// One word of a list of technologies, taken byte by byte.
private struct Word {
  /// What fits ``letters``; the longest known word, `EUTRANNBIOTOTHERSAT`, has 19.
  static let longest = 24
  /// Letters, digits and the plus sign, and nothing.
  static let base: UInt128 = 38

  /// Its characters as one number.
  private var letters: UInt128 = 0
  private var count = 0
  private var number: UInt32 = 0
  private var isNumber = true
  private var isReadable = true

  /// `|`, `;`, `,` and `/`.
  static func isSeparator(_ byte: UInt8) -> Bool {
    byte == 0x7C || byte == 0x3B || byte == 0x2C || byte == 0x2F
  }

  mutating func take(_ byte: UInt8) {
    switch byte {
    case 0x20, 0x09, 0x28, 0x29, 0x2D, 0x2E, 0x5F: return  // space, tab, ( ) - . _
    case 0x30...0x39: append(1 + (byte & 0x0F), digit: byte & 0x0F)
    case 0x41...0x5A: append(byte - 0x41 + 11)
    case 0x61...0x7A: append(byte - 0x61 + 11)
    case 0x2B: append(37)
    default: isReadable = false
    }
  }

  private mutating func append(_ character: UInt8, digit: UInt8? = nil) {
    count += 1
    letters = letters &* Self.base &+ UInt128(character)
    if let digit, count <= 4 {
      number = number * 10 + UInt32(digit)
    } else {
      isNumber = false
    }
  }

  /// Nothing where there was no word; nil where it is not known.
  var technology: RadioTechnology? {
    guard isReadable else { return nil }
    guard count > 0 else { return [] }
    guard count <= Self.longest else { return nil }
    return isNumber ? RadioTechnology(radioAccessType: number) : Self.known[letters]
  }

  private static let known: [UInt128: RadioTechnology] = {
    var known: [UInt128: RadioTechnology] = [:]
    for (word, technology) in RadioTechnology.byWord {
      known[packed(word)] = technology
      guard RadioTechnology.carriedBySatellite.contains(word) else { continue }
      for orbit in RadioTechnology.orbits {
        known[packed(word + orbit)] = technology.union(.satellite)
      }
    }
    return known
  }()

  private static func packed(_ text: String) -> UInt128 {
    var word = Word()
    for byte in text.utf8 { word.take(byte) }
    return word.letters
  }
}
