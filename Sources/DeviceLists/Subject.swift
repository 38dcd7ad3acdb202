package import DeviceIdentity

/// Consecutive IMEIs, both ends included.
package struct IMEIRange: Hashable, Sendable, CustomStringConvertible {
  package let first: IMEI
  package let last: IMEI

  package init?(first: IMEI, last: IMEI) {
    guard first <= last else { return nil }
    self.first = first
    self.last = last
  }

  package func contains(_ imei: IMEI) -> Bool { first <= imei && imei <= last }

  package var description: String { "\(first)-\(last)" }
}

/// An IMEI together with the one subscriber that it is about.
package struct Pairing: Hashable, Sendable {
  package let imei: IMEI
  package let imsi: IMSI

  package init(imei: IMEI, imsi: IMSI) {
    self.imei = imei
    self.imsi = imsi
  }
}

/// What a ground is about.
package enum Subject: Hashable, Sendable {
  case imei(IMEI)
  case range(IMEIRange)
  case tac(TAC)
  case pairing(Pairing)

  /// The kind's number in the database and in the canonical bytes.
  package enum Kind: UInt8, Hashable, Sendable, CaseIterable {
    case imei = 1
    case range = 2
    case tac = 3
    case pairing = 4
  }

  package var kind: Kind {
    switch self {
    case .imei: .imei
    case .range: .range
    case .tac: .tac
    case .pairing: .pairing
    }
  }

  /// Two numbers that, with the kind, name the subject. The second is 0 where one is enough.
  package var keys: (first: UInt64, second: UInt64) {
    switch self {
    case .imei(let imei): (imei.number, 0)
    case .range(let range): (range.first.number, range.last.number)
    case .tac(let tac): (UInt64(tac.number), 0)
    case .pairing(let pairing): (pairing.imei.number, pairing.imsi.packed)
    }
  }

  /// Nil where the numbers cannot be keys of that kind.
  package init?(kind: Kind, first: UInt64, second: UInt64) {
    switch kind {
    case .imei:
      guard let imei = IMEI(number: first), second == 0 else { return nil }
      self = .imei(imei)
    case .range:
      guard let from = IMEI(number: first), let to = IMEI(number: second) else { return nil }
      guard let range = IMEIRange(first: from, last: to) else { return nil }
      self = .range(range)
    case .tac:
      guard let number = UInt32(exactly: first), let tac = TAC(number: number) else { return nil }
      guard second == 0 else { return nil }
      self = .tac(tac)
    case .pairing:
      guard let imei = IMEI(number: first), let imsi = IMSI(packed: second) else { return nil }
      self = .pairing(Pairing(imei: imei, imsi: imsi))
    }
  }
}
