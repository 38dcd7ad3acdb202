package import DeviceIdentity

/// The conditions of a country, ready for one run.
///
/// Fill an ``Evidence`` for each device that a network has seen or a list names, and ask
/// ``matching(_:using:)``. The same conditions, settings, day and evidence give the same answer, so
/// a run over some devices finds for them what a run over all would find.
package struct Ruleset: Sendable {
  /// A bit of ``matching(_:using:)`` each.
  package static let mostConditions = 64

  /// A dimension ready to be asked.
  private struct Question: Sendable {
    let dimension: Dimension
    let isInverted: Bool
    let scope: Scope

    init(_ part: Condition.Part, _ scope: Scope) {
      dimension = part.dimension
      isInverted = part.isInverted
      self.scope = scope
    }
  }

  package let conditions: [Condition]
  package let period: Period
  package let needs: EvidenceNeeds
  /// Those of the first condition, then those of the second …
  private let questions: [Question]
  /// Where those of each condition are.
  private let places: [Range<Int>]
  private let country: Country
  private let everything: Scope
  private let populationDays: DayWindow
  private let undecidable: [Question]

  /// `networks`: the PLMNs of the operators of this country.
  package init(
    conditions: [Condition], settings: RuleSettings, networks: [PLMN], asOf day: Day
  ) throws(RuleError) {
    guard conditions.count <= Self.mostConditions else {
      throw RuleError("conditions", "there are more than \(Self.mostConditions)")
    }
    guard Set(conditions.map(\.label)).count == conditions.count else {
      throw RuleError("conditions", "two have the same label")
    }
    for condition in conditions {
      if let refusal = settings.refusal(of: condition) { throw refusal }
    }
    let population = Window.months(settings.populationMonths)
    let period = Period(asOf: day, windows: conditions.flatMap(\.windows) + [population])
    let country = Country(settings: settings, networks: networks)
    func scope(_ window: Window?) -> Scope {
      let days = window.map {
        DayWindow(from: $0.start(before: period.end), to: period.end, in: period)
      }
      return Scope(
        days: days ?? period.allDays, allDays: period.allDays, period: period, country: country)
    }
    self.conditions = conditions
    self.period = period
    self.country = country
    var (questions, places): ([Question], [Range<Int>]) = ([], [])
    for condition in conditions {
      let start = questions.count
      questions += condition.parts.map { Question($0, scope($0.dimension.rule.window)) }
      places.append(start..<questions.count)
    }
    (self.questions, self.places) = (questions, places)
    everything = scope(nil)
    populationDays = scope(population).days
    needs = questions.reduce(questions.contains(where: \.isInverted) ? .seenBefore : []) {
      $0.union($1.dimension.rule.needs)
    }
    undecidable = questions.filter {
      $0.isInverted || $0.dimension.rule.needs.contains(.seenBefore)
    }
  }

  /// The conditions that hold for a device: bit 0 is the first of ``conditions``.
  package func matching(_ device: Evidence, using scratch: inout Scratch) -> UInt64 {
    var matching: UInt64 = 0
    for index in places.indices where holds(index, device, &scratch) {
      matching |= 1 << UInt64(index)
    }
    return matching
  }

  private func holds(_ index: Int, _ device: Evidence, _ scratch: inout Scratch) -> Bool {
    for place in places[index] {
      let question = questions[place]
      let isMatch = question.dimension.matches(device, in: question.scope, using: &scratch)
      guard isMatch != question.isInverted else { return false }
      // What no network has seen is in no complement: a list may name anything.
      if question.isInverted, !device.isSeen(in: everything) { return false }
    }
    return true
  }

  /// Whether the answer depends on when the device was first seen before the period, so that
  /// ``Evidence/seenBefore`` must be looked up first.
  package func needsSeenBefore(_ device: Evidence) -> Bool {
    guard !undecidable.isEmpty else { return false }
    if !device.isSeen(within: everything.allDays) { return true }
    return undecidable.contains { $0.dimension.rule.isUndecided(device, in: $0.scope) }
  }

  /// Whether the device counts when a condition's share is taken.
  package func isInPopulation(_ device: Evidence) -> Bool {
    device.isSeen(within: populationDays)
  }

  /// Why a condition holds for a device, for a person who looks at an example: each dimension with
  /// what it counted. Names no subscriber.
  package func explanation(
    _ index: Int, of device: Evidence, using scratch: inout Scratch
  ) -> [String] {
    questions[places[index]].map { question in
      guard !question.isInverted else { return "not \(question.dimension.name)" }
      let measures = question.dimension.rule.measured(
        device, in: question.scope, using: &scratch)
      return ([question.dimension.name] + measures.map(\.description)).joined(separator: " ")
    }
  }
}
