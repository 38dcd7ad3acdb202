/// Every kind of rule that a condition may be made of.
///
/// An enumeration and no existential: it is asked for every device of a country.
package enum Dimension: Hashable, Sendable {
  case barred(Barred)
  case barredType(BarredType)
  case goldenDevice(GoldenDevice)
  case malformedIdentity(MalformedIdentity)
  case manySubscribers(ManySubscribers)
  case manySubscribersDaily(ManySubscribersDaily)
  case monitored(Monitored)
  case notAssociated(NotAssociated)
  case notRegistered(NotRegistered)
  case notTypeApproved(NotTypeApproved)
  case placeholderIdentity(PlaceholderIdentity)
  case placesTooFarApart(PlacesTooFarApart)
  case reportedStolen(ReportedStolen)
  case rotatingSubscribers(RotatingSubscribers)
  case seenLately(SeenLately)
  case subscriberNotOwner(SubscriberNotOwner)
  case subscriberOfManyDevices(SubscriberOfManyDevices)
  case subscriberSequence(SubscriberSequence)
  case subscribersWithinSeconds(SubscribersWithinSeconds)
  case tacNotAllocated(TACNotAllocated)
  case technologyNewerThanModel(TechnologyNewerThanModel)
  case technologyNotSupported(TechnologyNotSupported)
  case testType(TestType)
  case transientSubscribers(TransientSubscribers)
  case usedBy(UsedBy)

  /// For what is asked once in a run.
  package var rule: any Rule {
    switch self {
    case .barred(let rule): rule
    case .barredType(let rule): rule
    case .goldenDevice(let rule): rule
    case .malformedIdentity(let rule): rule
    case .manySubscribers(let rule): rule
    case .manySubscribersDaily(let rule): rule
    case .monitored(let rule): rule
    case .notAssociated(let rule): rule
    case .notRegistered(let rule): rule
    case .notTypeApproved(let rule): rule
    case .placeholderIdentity(let rule): rule
    case .placesTooFarApart(let rule): rule
    case .reportedStolen(let rule): rule
    case .rotatingSubscribers(let rule): rule
    case .seenLately(let rule): rule
    case .subscriberNotOwner(let rule): rule
    case .subscriberOfManyDevices(let rule): rule
    case .subscriberSequence(let rule): rule
    case .subscribersWithinSeconds(let rule): rule
    case .tacNotAllocated(let rule): rule
    case .technologyNewerThanModel(let rule): rule
    case .technologyNotSupported(let rule): rule
    case .testType(let rule): rule
    case .transientSubscribers(let rule): rule
    case .usedBy(let rule): rule
    }
  }

  package func matches(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> Bool {
    switch self {
    case .barred(let rule): rule.matches(device, in: scope, using: &scratch)
    case .barredType(let rule): rule.matches(device, in: scope, using: &scratch)
    case .goldenDevice(let rule): rule.matches(device, in: scope, using: &scratch)
    case .malformedIdentity(let rule): rule.matches(device, in: scope, using: &scratch)
    case .manySubscribers(let rule): rule.matches(device, in: scope, using: &scratch)
    case .manySubscribersDaily(let rule): rule.matches(device, in: scope, using: &scratch)
    case .monitored(let rule): rule.matches(device, in: scope, using: &scratch)
    case .notAssociated(let rule): rule.matches(device, in: scope, using: &scratch)
    case .notRegistered(let rule): rule.matches(device, in: scope, using: &scratch)
    case .notTypeApproved(let rule): rule.matches(device, in: scope, using: &scratch)
    case .placeholderIdentity(let rule): rule.matches(device, in: scope, using: &scratch)
    case .placesTooFarApart(let rule): rule.matches(device, in: scope, using: &scratch)
    case .reportedStolen(let rule): rule.matches(device, in: scope, using: &scratch)
    case .rotatingSubscribers(let rule): rule.matches(device, in: scope, using: &scratch)
    case .seenLately(let rule): rule.matches(device, in: scope, using: &scratch)
    case .subscriberNotOwner(let rule): rule.matches(device, in: scope, using: &scratch)
    case .subscriberOfManyDevices(let rule): rule.matches(device, in: scope, using: &scratch)
    case .subscriberSequence(let rule): rule.matches(device, in: scope, using: &scratch)
    case .subscribersWithinSeconds(let rule): rule.matches(device, in: scope, using: &scratch)
    case .tacNotAllocated(let rule): rule.matches(device, in: scope, using: &scratch)
    case .technologyNewerThanModel(let rule): rule.matches(device, in: scope, using: &scratch)
    case .technologyNotSupported(let rule): rule.matches(device, in: scope, using: &scratch)
    case .testType(let rule): rule.matches(device, in: scope, using: &scratch)
    case .transientSubscribers(let rule): rule.matches(device, in: scope, using: &scratch)
    case .usedBy(let rule): rule.matches(device, in: scope, using: &scratch)
    }
  }
}
