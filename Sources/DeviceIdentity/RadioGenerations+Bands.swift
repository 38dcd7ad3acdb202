/// What a list of types says about the radio of a model.
///
/// GSMA's list has no field for it: the generations are read out of free text such as
/// `GSM 900,LTE FDD BAND 3,WCDMA FDD Band I` (`Bands`), `n1,n78` (`5G Bands`) or `LTE Cat M1`
/// (`LPWAN`, `Radio Interface`). The words for 2G to 4G are those that DIRBS looks for, with the
/// spellings `EV-DO` and `E-UTRA` beside them.
extension RadioGenerations {
  private struct Mark {
    let text: [UInt8]
    let generation: RadioGenerations
  }

  private static let spellings: [(RadioGenerations, [String])] = [
    (.second, ["GSM", "GPRS", "EDGE"]),
    (.third, ["HSPA", "HSUPA", "HSDPA", "EVDO", "EV-DO", "WCDMA", "UMTS", "TDS-CDMA"]),
    (.third, ["TD-SCDMA", "CDMA2000", "CDMA 2000"]),
    (.fourth, ["LTE", "CA_", "DC_", "WIMAX", "UMB", "E-UTRA", "EUTRA", "NB-IOT", "CAT-M"]),
    (.fifth, ["5G NR", "5G-NR", "NG-RAN"]),
  ]

  /// A list of types has hundreds of thousands of texts: a place is held only against what begins
  /// with its byte.
  private static let marksByFirstByte: [[Mark]] = {
    var marks = [[Mark]](repeating: [], count: 256)
    for (generation, texts) in spellings {
      for text in texts.map({ Array($0.utf8) }) {
        marks[Int(text[0])].append(Mark(text: text, generation: generation))
      }
    }
    return marks
  }()

  /// Nothing where the text names no cellular radio: then nothing is known of the model.
  package init(bands text: some StringProtocol) {
    let bytes = text.utf8.map { 0x61...0x7A ~= $0 ? $0 - 0x20 : $0 }
    var found: RadioGenerations = []
    for start in bytes.indices {
      for mark in Self.marksByFirstByte[Int(bytes[start])]
      where bytes[start...].starts(with: mark.text) {
        found.insert(mark.generation)
      }
    }
    // Words of their own: `CDMA` is a part of WCDMA, `NR` and `5G` of many things (5GHz, 2.5G).
    for word in bytes.split(whereSeparator: { !Self.isOfWord($0) }) {
      if word.elementsEqual("CDMA".utf8) { found.insert(.second) }
      if Self.isNewRadio(word) { found.insert(.fifth) }
    }
    self = found
  }

  /// `NR`, `5G`, a band such as `N78`, or one out of a combination of bands such as `N78A`.
  /// TS 38.101-1, 5.2.
  private static func isNewRadio(_ word: ArraySlice<UInt8>) -> Bool {
    if word.elementsEqual("NR".utf8) || word.elementsEqual("5G".utf8) { return true }
    guard word.first == 0x4E else { return false }
    let digits = word.dropFirst().prefix { 0x30...0x39 ~= $0 }
    let rest = word.dropFirst(1 + digits.count)
    return (1...3).contains(digits.count) && rest.count <= 1
  }

  private static func isOfWord(_ byte: UInt8) -> Bool {
    0x30...0x39 ~= byte || 0x41...0x5A ~= byte || byte == 0x2E
  }
}
