import Testing

@testable import DeviceIdentity

struct RadioTechnologyTests {
  @Test func `the stored bits do not change`() {
    // sighting.technologies in Schema/database/registry.sql: rows of years depend on these.
    let bits: [(RadioTechnology, Int32)] = [
      (.gsm, 1), (.utran, 2), (.eutran, 4), (.nbIoT, 8), (.lteM, 16), (.nr, 32),
      (.cdma2000, 64), (.evdo, 128), (.umb, 256), (.wiMAX, 512), (.nonCellular, 1024),
      (.satellite, 2048),
    ]
    for (technology, bit) in bits { #expect(technology.rawValue == bit) }
  }

  private static let words: [(String, RadioTechnology?)] = [
    // Names of TS 29.274, table 8.17-1, and of TS 29.571, 5.4.3.2 (RatType).
    ("UTRAN", RadioTechnology.utran), ("GERAN", .gsm), ("WLAN", .nonCellular),
    ("GAN", .nonCellular), ("HSPA Evolution", .utran), ("EUTRAN", .eutran),
    ("Virtual", .nonCellular), ("EUTRAN-NB-IoT", .nbIoT), ("LTE-M", .lteM), ("NR", .nr),
    ("WB-E-UTRAN(LEO)", [.eutran, .satellite]),
    ("EUTRAN-NB-IoT(OTHERSAT)", [.nbIoT, .satellite]), ("NR(GEO)", [.nr, .satellite]),
    ("NR_LEO", [.nr, .satellite]), ("NR_OTHER_SAT", [.nr, .satellite]),
    ("WB_E_UTRAN_MEO", [.eutran, .satellite]), ("NB_IOT_GEO", [.nbIoT, .satellite]),
    ("LTE_M_OTHERSAT", [.lteM, .satellite]), ("UTRA", .utran), ("GERA", .gsm), ("EUTRA", .eutran),
    ("EUTRA_U", .eutran), ("TRUSTED_WLAN", .nonCellular), ("TRUSTED_N3GA", .nonCellular),
    ("HSPA_EVOLUTION", .utran),
    ("NBIOT", .nbIoT), ("NR_U", .nr), ("NR_REDCAP", .nr),
    // Names of TS 29.212, 5.3.31.
    ("CDMA2000_1X", .cdma2000), ("HRPD", .evdo), ("UMB", .umb), ("EHRPD", .evdo),
    // What people write.
    ("2G", .gsm), ("3g", .utran), ("4G", .eutran), ("5G", .nr), ("lte", .eutran),
    ("WCDMA", .utran), ("HSPA+", .utran), ("5G NSA", [.eutran, .nr]), (" GSM ", .gsm),
    ("WiMAX", .wiMAX), ("E-UTRAN", .eutran), ("TD-SCDMA", .utran),
    // Several.
    ("GERAN|UTRAN|E-UTRAN", [.gsm, .utran, .eutran]), ("2G/3G", [.gsm, .utran]),
    ("GSM;NR", [.gsm, .nr]), ("GSM,", .gsm), ("|", []), ("", []), (" ", []),
    // Nothing that is known.
    ("6G", nil), ("GERAN|6G", nil), ("(LEO)", nil), ("NR(MARS)", nil), ("n/a", nil),
    ("GERANGERANGERANGERANGERAN", nil), ("ГСМ", nil), ("EUTRANGSM", nil),
  ]

  @Test(arguments: Self.words)
  func `a word is a technology`(text: String, technology: RadioTechnology?) {
    #expect(RadioTechnology(words: text) == technology)
  }

  private static let numbers: [(String, RadioGenerations?)] = [
    // DIRBS-Core, radio_access_technology_map: code, and its generation.
    ("007", RadioGenerations()), ("004", []), ("003", []), ("104", .second), ("002", .second),
    ("103", .third), ("001", .third), ("102", .third), ("005", .third), ("105", .fourth),
    ("101", .fourth), ("006", .fourth), ("002|006", [.second, .fourth]),
    // TS 29.274, table 8.17-1, with and without leading zeros: the same numbers.
    ("1", .third), ("2", .second), ("6", .fourth), ("8", .fourth), ("008", .fourth),
    ("9", .fourth), ("10", .fifth), ("010", .fifth), ("22", .fourth),
    // TS 29.061, 16.4.7.2.
    ("51", .fifth), ("52", []),
    // TS 29.212, 5.3.31.
    ("1000", .third), ("1001", .second), ("1004", .fourth), ("1006", .fifth), ("2000", .second),
    // Reserved or spare.
    ("0", nil), ("000", nil), ("23", nil), ("106", nil), ("999", nil), ("00006", nil),
  ]

  @Test(arguments: Self.numbers)
  func `a number is a technology of a generation`(text: String, generations: RadioGenerations?) {
    #expect(RadioTechnology(words: text)?.generations == generations)
  }

  @Test func `every known word can be read`() {
    for (word, technology) in RadioTechnology.byWord {
      #expect(RadioTechnology(words: word) == technology)
      #expect(RadioTechnology(words: word.lowercased()) == technology)
    }
  }

  private static let bands: [(String, RadioGenerations)] = [
    // Bands as GSMA's list writes them: names of TS 45.005, TS 25.101, TS 36.101 and TS 38.101-1.
    ("GSM850 (GSM800),GSM 900,GSM 1800", RadioGenerations.second),
    ("GSM 1800,GSM 900,WCDMA FDD Band I", [.second, .third]),
    ("WCDMA FDD Band I,WCDMA FDD Band VIII", .third), ("HSDPA", .third), ("CDMA2000 1X", .third),
    ("800 CDMA 1900", .second), ("WCDMA", .third), ("CDMA", .second), ("EV-DO", .third),
    ("LTE FDD BAND 1,LTE TDD BAND 38", .fourth), ("CA_1A-3A", .fourth), ("LTE Cat M1", .fourth),
    ("NB-IoT", .fourth), ("E-UTRA band 3", .fourth), ("WiMAX", .fourth),
    ("n1,n3,n78", .fifth), ("N258", .fifth), ("NR n78", .fifth), ("5G", .fifth),
    ("DC_3A_n78A", [.fourth, .fifth]), ("LTE FDD BAND 3/5G NR n41", [.fourth, .fifth]),
    // What is not the radio of a generation.
    ("WLAN 5GHz", []), ("802.11 a/b/g/n", []), ("2.5G Ethernet", []), ("", []),
    ("Not Known", []), ("n1234", []), ("KNR", []),
  ]

  @Test(arguments: Self.bands)
  func `bands tell the generations of a model`(text: String, generations: RadioGenerations) {
    #expect(RadioGenerations(bands: text) == generations)
  }

  private static let ages: [(RadioGenerations, RadioGenerations, RadioGenerations)] = [
    (.fifth, .fourth, .fifth),
    ([.fourth, .fifth], .third, [.fourth, .fifth]), (.second, .fourth, []),
    ([.third, .fifth], [.second, .fourth], .fifth), (.fourth, [.second, .fourth], []),
    ([.second, .fifth], [], [.second, .fifth]), ([], .second, []),
  ]

  @Test(arguments: Self.ages)
  func `newer is above the newest`(
    seen: RadioGenerations, supported: RadioGenerations, newer: RadioGenerations
  ) {
    #expect(seen.newer(than: supported) == newer)
  }

  @Test func `generations have words`() {
    #expect(RadioGenerations(word: "5g") == .fifth)
    #expect(RadioGenerations(word: "6G") == nil)
    #expect(RadioGenerations([.fourth, .second]).description == "2G, 4G")
  }
}
