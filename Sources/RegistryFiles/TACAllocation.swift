package import DeviceIdentity

/// One type of device in a list of allocations.
package struct TACAllocation: Hashable, Sendable {
  /// A column that has no field of its own here; never empty.
  package struct Attribute: Hashable, Sendable {
    /// As the header names it: lower case, `_` between words; unique within a file.
    package let name: String
    package let value: String

    package init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  package let tac: TAC
  /// The manufacturer, else the brand.
  package let manufacturer: String?
  /// The name of the model, else the name under which it is sold.
  package let model: String?
  /// In the order of the columns.
  package let attributes: [Attribute]
  /// The first line of the record, from 1.
  package let line: Int

  package init(
    tac: TAC, manufacturer: String?, model: String?, attributes: [Attribute] = [], line: Int = 0
  ) {
    self.tac = tac
    self.manufacturer = manufacturer
    self.model = model
    self.attributes = attributes
    self.line = line
  }
}
