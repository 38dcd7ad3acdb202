import DeviceIdentity

/// An identity that no device was given: all digits equal, digits that count up or down, or one of
/// those that the settings name. Millions of devices share such an identity, so blocking it at once
/// cuts off a part of the population.
package struct PlaceholderIdentity: Rule {
  package static let name = "placeholderIdentity"

  /// Whether a serial of 000000 is one too.
  package let includesZeroSerial: Bool

  package init(includesZeroSerial: Bool = false) { self.includesZeroSerial = includesZeroSerial }

  package init(from fields: inout Fields) throws(RuleError) {
    includesZeroSerial = try fields.flag("includesZeroSerial", default: false)
  }

  package func write(to fields: inout FieldWriter) throws {
    try fields.write("includesZeroSerial", includesZeroSerial)
  }

  package func matches(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> Bool {
    guard let imei = device.imei else { return false }
    if imei.isPlaceholder || Self.counts(imei.number) { return true }
    if includesZeroSerial, imei.serial == 0 { return true }
    return scope.country.isPlaceholder(imei)
  }

  /// Whether each of the fourteen digits is one more, or one less, than the digit before it; 0
  /// follows 9.
  static func counts(_ number: UInt64) -> Bool {
    let step = (number % 10 + 10 - number / 10 % 10) % 10
    guard step == 1 || step == 9 else { return false }
    var rest = number
    for _ in 0..<13 {
      guard (rest % 10 + 10 - rest / 10 % 10) % 10 == step else { return false }
      rest /= 10
    }
    return true
  }
}
