import DeviceLists
import Synchronization

/// How often each interface was given each answer, which rule decided and how long it took, since
/// the start. Added to without a lock.
final class CheckCounters: Sendable {
  /// One number of many.
  private final class Place: Sendable {
    let count = Atomic<Int>(0)

    func add(_ number: Int = 1) { count.add(number, ordering: .relaxed) }
    var value: Int { count.load(ordering: .relaxed) }
  }

  /// Every rule and answer that an interface was given.
  struct Count: Hashable, Sendable {
    let interface: CheckInterface
    let rule: DecisionRule
    let decided: CheckAnswer
    let count: Int
  }

  /// How long the checks of an interface took, from the question understood to the answer known.
  struct Latency: Hashable, Sendable {
    let interface: CheckInterface
    /// How many took at most as long as the bound of the same number.
    let counts: [Int]
    let total: Int
    let sumNanoseconds: Int
  }

  /// Nanoseconds: a check from memory takes less than one microsecond, one that asks the CEIR
  /// milliseconds.
  static let bounds = [1_000, 4_000, 16_000, 64_000, 256_000, 1_000_000, 10_000_000, 100_000_000]

  private static let answers: [CheckAnswer] = [.white, .grey, .black, .unknown]
  private static let answersOfInterface = DecisionRule.allCases.count * answers.count

  private let answered = places(CheckInterface.allCases.count * answersOfInterface)
  private let durations = places(CheckInterface.allCases.count * (bounds.count + 1))
  private let sums = places(CheckInterface.allCases.count)
  private let shadowed = Place()

  private static func places(_ count: Int) -> [Place] { (0..<count).map { _ in Place() } }

  func count(_ verdict: Verdict, from interface: CheckInterface, nanoseconds: Int64) {
    answered[Self.place(interface, verdict.rule, verdict.decided)].add()
    if verdict.answer != verdict.decided { shadowed.add() }
    let nanoseconds = Int(max(nanoseconds, 0))
    var bucket = 0
    while bucket < Self.bounds.count, nanoseconds > Self.bounds[bucket] { bucket += 1 }
    durations[Int(interface.rawValue) * (Self.bounds.count + 1) + bucket].add()
    sums[Int(interface.rawValue)].add(nanoseconds)
  }

  /// What has occurred.
  var counts: [Count] {
    CheckInterface.allCases.flatMap { interface in
      DecisionRule.allCases.flatMap { rule in
        Self.answers.compactMap { answer in
          let count = answered[Self.place(interface, rule, answer)].value
          guard count > 0 else { return nil }
          return Count(interface: interface, rule: rule, decided: answer, count: count)
        }
      }
    }
  }

  var latencies: [Latency] {
    CheckInterface.allCases.compactMap { interface in
      let first = Int(interface.rawValue) * (Self.bounds.count + 1)
      var (counts, total): ([Int], Int) = ([], 0)
      for bucket in 0...Self.bounds.count {
        total += durations[first + bucket].value
        if bucket < Self.bounds.count { counts.append(total) }
      }
      guard total > 0 else { return nil }
      return Latency(
        interface: interface, counts: counts, total: total,
        sumNanoseconds: sums[Int(interface.rawValue)].value)
    }
  }

  /// Answered white in shadow mode where something else was decided.
  var shadowedCount: Int { shadowed.value }

  private static func place(
    _ interface: CheckInterface, _ rule: DecisionRule, _ answer: CheckAnswer
  ) -> Int {
    let number =
      switch answer {
      case .white: 0
      case .grey: 1
      case .black: 2
      case .unknown: 3
      }
    return Int(interface.rawValue) * answersOfInterface + Int(rule.rawValue) * answers.count
      + number
  }
}
