import DeviceIdentity
import DeviceRules
import Testing

struct TechnologyRuleTests {
  private typealias Case = (
    used: RadioTechnology, supported: RadioGenerations, notSupported: Bool, newer: Bool
  )

  private static let cases: [Case] = [
    // DIRBS inconsistent_rat: any generation seen that the model has not, older ones too.
    (.gsm, .second, false, false), (.utran, .second, true, true),
    (.gsm, [.third, .fourth], true, false), (.eutran, [.second, .third], true, true),
    ([.gsm, .utran], [.second, .third], false, false), (.cdma2000, .second, false, false),
    (.umb, .third, true, true), (.nbIoT, .fourth, false, false),
    // 5G, which DIRBS does not know.
    (.nr, [.second, .third, .fourth], true, true), (.nr, [.fourth, .fifth], false, false),
    ([.eutran, .nr], .fourth, true, true),
    // What is no cellular radio, or not known, says nothing.
    (.nonCellular, .second, false, false), ([], .second, false, false),
    (.satellite, .second, false, false), (.nr, [], false, false),
  ]

  @Test(arguments: cases.indices)
  func `a device does what its model can do`(index: Int) throws {
    let sample = Self.cases[index]
    let device = SampleDevice().seen(1, "2026-11-20", technologies: sample.used).with {
      $0.type.generations = sample.supported
    }
    let any = Dimension.technologyNotSupported(TechnologyNotSupported())
    let newer = Dimension.technologyNewerThanModel(TechnologyNewerThanModel())
    #expect(try Judgement(any, of: device).matches == sample.notSupported)
    #expect(try Judgement(newer, of: device).matches == sample.newer)
  }

  @Test func `only the named generations are looked at`() throws {
    let device = SampleDevice().with { $0.type.generations = .third }
    let rule = Dimension.technologyNewerThanModel(TechnologyNewerThanModel(generations: .fourth))
    let lte = try Judgement(rule, of: device.seen(1, "2026-11-20", technologies: .eutran))
    #expect(lte.matches)
    #expect(
      lte.explanation == [
        "technologyNewerThanModel newer=4G supported=3G days=2026-09-22 to 2026-11-20"
      ])
    #expect(try !Judgement(rule, of: device.seen(1, "2026-11-20", technologies: .nr)).matches)
  }

  @Test func `only the window is looked at`() throws {
    let device = SampleDevice().with { $0.type.generations = .second }
      .seen(1, "2026-11-10", technologies: .eutran).seen(1, "2026-10-10", technologies: .gsm)
    func matches(_ days: Int) throws -> Bool {
      let rule = TechnologyNotSupported(window: .days(days))
      return try Judgement(.technologyNotSupported(rule), of: device).matches
    }
    #expect(try matches(11))
    #expect(try !matches(10))
  }
}
