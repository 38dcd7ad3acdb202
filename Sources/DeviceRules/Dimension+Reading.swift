/// How a dimension stands in the document of a condition: its word in `dimension`, and its
/// parameters beside it.
extension Dimension {
  private typealias Reader = @Sendable (inout Fields) throws(RuleError) -> Dimension

  private static func reader<Kind: Rule>(
    _ make: @escaping @Sendable (Kind) -> Dimension
  ) -> (String, Reader) {
    (Kind.name, { (fields) throws(RuleError) in make(try Kind(from: &fields)) })
  }

  private static let readers: [String: Reader] = Dictionary(
    uniqueKeysWithValues: [
      reader(Dimension.barred), reader(Dimension.barredType), reader(Dimension.goldenDevice),
      reader(Dimension.malformedIdentity), reader(Dimension.manySubscribers),
      reader(Dimension.manySubscribersDaily), reader(Dimension.monitored),
      reader(Dimension.notAssociated), reader(Dimension.notRegistered),
      reader(Dimension.notTypeApproved), reader(Dimension.placeholderIdentity),
      reader(Dimension.placesTooFarApart), reader(Dimension.reportedStolen),
      reader(Dimension.rotatingSubscribers), reader(Dimension.seenLately),
      reader(Dimension.subscriberNotOwner), reader(Dimension.subscriberOfManyDevices),
      reader(Dimension.subscriberSequence), reader(Dimension.subscribersWithinSeconds),
      reader(Dimension.tacNotAllocated), reader(Dimension.technologyNewerThanModel),
      reader(Dimension.technologyNotSupported), reader(Dimension.testType),
      reader(Dimension.transientSubscribers), reader(Dimension.usedBy),
    ])

  /// The words of all kinds, in order.
  package static let names: [String] = readers.keys.sorted()

  init(from fields: inout Fields) throws(RuleError) {
    let name = try fields.text("dimension")
    fields.named("\(fields.place) (\(name))")
    guard let read = Self.readers[name] else {
      let known = Self.names.joined(separator: ", ")
      throw RuleError(fields.place, "there is no such dimension; there are \(known)")
    }
    self = try read(&fields)
  }

  package var name: String { type(of: rule).name }
}
