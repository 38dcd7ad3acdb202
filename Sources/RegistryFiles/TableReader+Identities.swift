import DeviceIdentity

/// How IMEIs are written in a file.
package enum IMEIForm: String, Sendable {
  /// 15 digits with a right check digit.
  case dialled
  /// 14 to 16 digits of which the 15th is not looked at.
  case signalled
}

/// Fields that name a device, a type, a subscriber or a change.
extension TableReader {
  func imei(_ column: Int, form: IMEIForm) throws(FieldFault) -> IMEI {
    let imei =
      if let fast = fastIMEI(column, form: form) { fast } else {
        try slowIMEI(column, form: form)
      }
    guard !imei.isPlaceholder else {
      throw FieldFault(
        .placeholder, "is a placeholder that many devices send, not the identity of one",
        column: column)
    }
    return imei
  }

  /// Fifteen digits and nothing else, the last of them right where it counts.
  private func fastIMEI(_ column: Int, form: IMEIForm) -> IMEI? {
    guard let digits = reader.number(column, digits: 15) else { return nil }
    guard let imei = IMEI(number: digits / 10) else { return nil }
    return form == .signalled || UInt64(imei.checkDigit) == digits % 10 ? imei : nil
  }

  private func slowIMEI(_ column: Int, form: IMEIForm) throws(FieldFault) -> IMEI {
    let text = reader.text(column)
    do throws(IdentityError) {
      switch form {
      case .dialled: return try IMEI(dialled: text)
      case .signalled: return try IMEI(signalled: text)
      }
    } catch {
      throw FieldFault(error, column: column)
    }
  }

  func tac(_ column: Int) throws(FieldFault) -> TAC {
    if let number = reader.number(column, digits: 8), let tac = TAC(number: UInt32(number)) {
      return tac
    }
    do throws(IdentityError) {
      return try TAC(reader.text(column))
    } catch {
      guard case .length(digits: 7, _) = error.code else {
        throw FieldFault(error, column: column)
      }
      throw FieldFault(
        error, column: column, reason: "has 7 digits instead of 8 (was a leading zero lost?)")
    }
  }

  func imsi(_ column: Int) throws(FieldFault) -> IMSI {
    let text = reader.text(column)
    do throws(IdentityError) {
      return try IMSI(text)
    } catch {
      throw FieldFault(Self.spreadsheetError(text) ?? error, column: column)
    }
  }

  private static func spreadsheetError(_ text: String) -> IdentityError? {
    do throws(IdentityError) {
      _ = try TAC(text)
      return nil
    } catch {
      return error.code == .spreadsheetNumber ? error : nil
    }
  }

  /// Up to 20 letters, digits, hyphens and backslashes.
  func person(_ column: Int) throws(FieldFault) -> String {
    let text = try filled(column)
    guard text.utf8.count <= 20,
      text.utf8.allSatisfy({ $0.isAlphanumeric || $0 == 0x2D || $0 == 0x5C })
    else {
      throw FieldFault(
        .malformedText, "is not up to 20 letters, digits, hyphens and backslashes",
        column: column)
    }
    return text
  }

  /// 32 hexadecimal digits, in small letters.
  func hash(_ column: Int) throws(FieldFault) -> String {
    let text = try filled(column).lowercased()
    guard text.utf8.count == 32,
      text.utf8.allSatisfy({ 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 })
    else {
      throw FieldFault(.malformedText, "is not 32 hexadecimal digits", column: column)
    }
    return text
  }

  private func filled(_ column: Int) throws(FieldFault) -> String {
    guard !reader.isEmpty(column) else {
      throw FieldFault(.emptyIdentity, "is empty", column: column)
    }
    return reader.text(column)
  }

  /// `add`, `remove`, and where a line has values, `update`.
  func change(_ column: Int, of kind: ListKind) throws(FieldFault) -> ListChange {
    if reader.holds("add", column) { return .add }
    if reader.holds("remove", column) { return .remove }
    if kind.hasValues, reader.holds("update", column) { return .update }
    throw FieldFault(
      .unknownChange,
      kind.hasValues ? "is not add, remove or update" : "is neither add nor remove",
      column: column)
  }
}

extension UInt8 {
  var isAlphanumeric: Bool { 0x30...0x39 ~= self || 0x41...0x5A ~= self & 0xDF }
}

extension TableReader {
  static let changeColumn = "change_type"

  /// Where the kind of change stands. A file of changes must name it; another must not, or what is
  /// to be removed would be added.
  func changeColumn(isDelta: Bool) throws(RegistryFileError) -> Int? {
    let place = try header.index(of: [Self.changeColumn])
    if isDelta, place == nil {
      throw RegistryFileError(
        .missingColumn(Self.changeColumn, purpose: "a file of changes must name one in each line"))
    }
    if !isDelta, place != nil {
      throw RegistryFileError(
        .unexpectedColumn(Self.changeColumn, purpose: "say that it is a file of changes (--delta)"))
    }
    return place
  }
}
