import Glibc

/// A limit that a benchmark must hold, and what was measured.
struct Judgement {
  enum Sense { case atMost, atLeast }

  let name: String
  let unit: String
  let ours: [Double]
  let reference: [Double]
  let limit: Double
  let sense: Sense

  /// The median of the ratios of each pair of runs: what disturbs the machine disturbs both.
  var ratio: Double {
    reference.isEmpty ? ours.median : zip(ours, reference).map { $0 / $1 }.median
  }

  var holds: Bool {
    switch sense {
    case .atMost: ratio <= limit
    case .atLeast: ratio >= limit
    }
  }

  /// `publish: ours 1.2 s, reference 0.4 s, ratio 3.0 (limit 10): holds`.
  var line: String {
    let reference = reference.isEmpty ? "–" : "\(short(reference.median)) \(unit)"
    return "\(name): ours \(short(ours.median)) \(unit), reference \(reference), "
      + "ratio \(short(ratio)) (limit \(short(limit))): \(holds ? "holds" : "falls short")"
  }

  private func short(_ number: Double) -> String {
    let digits = number >= 100 ? 0 : number >= 1 ? 2 : 4
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let rounded = (number * scale).rounded() / scale
    return digits == 0 ? String(Int(rounded)) : String(rounded)
  }
}

extension [Double] {
  var median: Double { isEmpty ? .nan : sorted()[count / 2] }
}

/// Seconds that `work` takes.
func seconds<Value>(_ work: () async throws -> Value) async throws -> (Double, Value) {
  let start = ContinuousClock.now
  let value = try await work()
  let components = start.duration(to: .now).components
  return (Double(components.seconds) + Double(components.attoseconds) * 1e-18, value)
}
